package cli

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestEnvvars(t *testing.T) {
	dir := t.TempDir()
	text := `# a comment
unset HOME
SUFFIX=
export BTEST_A=plain
export BTEST_B="quoted value"   # and a comment
  export BTEST_C='$BTEST_A'
export BTEST_D=/run/x$BTEST_NONE/${BTEST_A}
export BTEST_E=$(date)
export BTEST_F=` + "`date`" + `
export BTEST_G=${BTEST_NONE:-default}
export BTEST_H=one two
export BTEST_SET=new
export BTEST_I
if true; then export BTEST_J=1; fi
`
	if err := os.WriteFile(filepath.Join(dir, "envvars"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BTEST_SET", "before")
	for _, n := range "ABCDEFGHIJ" {
		t.Setenv("BTEST_"+string(n), "") // so that it is put back
		os.Unsetenv("BTEST_" + string(n))
	}
	set := sourceEnvvars(dir)
	if want := []string{"BTEST_A", "BTEST_B", "BTEST_C", "BTEST_D"}; !slices.Equal(set, want) {
		t.Errorf("set %v, want %v", set, want)
	}
	for name, want := range map[string]string{"BTEST_A": "plain", "BTEST_B": "quoted value", "BTEST_C": "$BTEST_A", "BTEST_D": "/run/x/plain", "BTEST_SET": "before"} {
		if got := os.Getenv(name); got != want {
			t.Errorf("%s=%q, want %q", name, got, want)
		}
	}
	if sourceEnvvars(t.TempDir()) != nil {
		t.Error("no file, no variables")
	}
}
