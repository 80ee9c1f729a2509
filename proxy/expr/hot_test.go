package expr

import (
	"testing"

	"balancerd/proxy/internal/poison"
)

// BenchmarkHotExpr is what an <If> or Require expr costs a request.
func BenchmarkHotExpr(b *testing.B) {
	for _, text := range []string{"true", "%{REQUEST_METHOD} == 'GET'", "req('X-In') in {'no', 'yes'}", "%{REQUEST_URI} =~ m#^/a/# && %{REMOTE_ADDR} -ipmatch '127.0.0.0/8'",
		"%{REQUEST_URI} =~ /b/ && -R '127'"} {
		e, err := Compile(text, Options{DontVary: true})
		if err != nil {
			b.Fatal(err)
		}
		x := sample()
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Match(x)
			}
		})
	}
}

func TestNoAllocation(t *testing.T) {
	if poison.On {
		t.Skip("pools keep nothing")
	}
	x := sample()
	e, _ := Compile("%{REQUEST_URI} =~ m#^/a/# && req_novary('X-In') in {'no', 'yes'} && -R '127.0.0.0/8'", Options{}) // groups cost one allocation, in Go's regexp
	if n := testing.AllocsPerRun(100, func() {
		if ok, _ := e.Match(x); !ok {
			t.Fatal("does not hold")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	s, _ := CompileString("%{REQUEST_SCHEME}://%{HTTP_HOST}%{REQUEST_URI}?%{QUERY_STRING}")
	if n := testing.AllocsPerRun(100, func() {
		x.Arena.Reset()
		s.Eval(x)
	}); n > 0 {
		t.Errorf("%v allocations for a text", n)
	}
}
