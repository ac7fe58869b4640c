// Package option has the names of Google Cloud's SDK that SOPS refers to.
package option

import (
	"golang.org/x/oauth2"
	"google.golang.org/grpc"
)

type ClientOption any

func WithCredentialsJSON([]byte) ClientOption { return nil }

func WithEndpoint(string) ClientOption { return nil }

func WithGRPCConn(*grpc.ClientConn) ClientOption { return nil }

func WithGRPCDialOption(grpc.DialOption) ClientOption { return nil }

func WithTokenSource(oauth2.TokenSource) ClientOption { return nil }

func WithUniverseDomain(string) ClientOption { return nil }
