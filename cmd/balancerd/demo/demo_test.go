package demo

import (
	"os"
	"testing"
)

func TestQuickstartIsOneFile(t *testing.T) {
	b, err := os.ReadFile("../../../testdata/quickstart/httpd.conf")
	if err != nil || string(b) != quickstart {
		t.Error("testdata/quickstart/httpd.conf and quickstart.conf differ", err)
	}
}
