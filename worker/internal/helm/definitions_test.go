package helm

import (
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"devloop.invalid/toolchain/worker/internal/protocol"
	"devloop.invalid/toolchain/worker/internal/source"
)

// emptySource is a release whose source has no file.
func emptySource(t *testing.T) *release {
	t.Helper()
	tree, err := source.NewRepository(t.TempDir(), nil, nil).Source(".", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &release{view: tree.View(), folder: source.Mount + "/chart", request: &protocol.ReleasesRequest{}}
}

func TestADefinitionAmongTheTemplatesComesTooLate(t *testing.T) {
	head := func(version, kind string) *releaseutil.SimpleHead {
		return &releaseutil.SimpleHead{Version: version, Kind: kind}
	}
	manifests := []releaseutil.Manifest{
		{Name: "chart/templates/crd.yaml", Content: widgets, Head: head("apiextensions.k8s.io/v1", definitionKind)},
		{Name: "chart/templates/widget.yaml", Content: "kind: Widget", Head: head("example.com/v1", "Widget")},
	}
	err := emptySource(t).definedTooLate(manifests, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "a Widget of example.com/v1") {
		t.Errorf("got %v", err)
	}
	if err := emptySource(t).definedTooLate(manifests, nil, common.VersionSet{"example.com/v1/Widget"}); err != nil {
		t.Errorf("the cluster has the definition already: %v", err)
	}
	if err := emptySource(t).definedTooLate(manifests[:1], nil, nil); err != nil {
		t.Errorf("nothing uses the definition: %v", err)
	}
}
