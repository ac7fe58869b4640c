// Package region has the names of Huawei Cloud's SDK that SOPS refers to.
package region

import "errors"

func SafeValueOf(string) (any, error) { return nil, errors.ErrUnsupported }
