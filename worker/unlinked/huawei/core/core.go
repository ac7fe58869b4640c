// Package core has the names of Huawei Cloud's SDK that SOPS refers to.
package core

type (
	HcHttpClient        struct{}
	HcHttpClientBuilder struct{}
)

func NewHcHttpClientBuilder() *HcHttpClientBuilder { return nil }

func (b *HcHttpClientBuilder) WithCredential(any) *HcHttpClientBuilder { return b }

func (b *HcHttpClientBuilder) WithRegion(any) *HcHttpClientBuilder { return b }

func (*HcHttpClientBuilder) Build() *HcHttpClient { return nil }
