// Package api has the names of Vault's SDK that SOPS refers to.
package api

import (
	"context"
	"errors"
	"net/http"
)

type (
	Client struct{}
	Config struct {
		Address    string
		HttpClient *http.Client
	}
	Logical struct{}
	Secret  struct{ Data map[string]any }
)

func DefaultConfig() *Config { return &Config{} }

func NewClient(*Config) (*Client, error) { return nil, errors.ErrUnsupported }

func (*Client) SetAddress(string) error { return errors.ErrUnsupported }

func (*Client) SetToken(string) {}

func (*Client) Token() string { return "" }

func (*Client) Logical() *Logical { return nil }

func (*Logical) Read(string) (*Secret, error) { return nil, errors.ErrUnsupported }

func (*Logical) Write(string, map[string]any) (*Secret, error) { return nil, errors.ErrUnsupported }

func (*Logical) WriteWithContext(context.Context, string, map[string]any) (*Secret, error) {
	return nil, errors.ErrUnsupported
}
