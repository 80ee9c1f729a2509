package upstream

import (
	"testing"

	"balancerd/proxy/internal/loop/looptest"
)

func TestMain(m *testing.M) { looptest.Main(m) }
