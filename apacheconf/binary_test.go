package apacheconf

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// bare is a tree without what the binary form leaves behind.
func bare(list []Node) (out []Node) {
	for _, n := range list {
		switch n := n.(type) {
		case *Directive:
			out = append(out, &Directive{Name: n.Name, Args: n.Args, Pos: n.Pos})
		case *Section:
			out = append(out, &Section{Name: n.Name, Args: n.Args, Pos: n.Pos, Children: bare(n.Children)})
		case *Group:
			out = append(out, &Group{Name: n.Name, Pos: n.Pos, Outside: n.Outside, Children: bare(n.Children)})
		}
	}
	return out
}

func sampleTree(t testing.TB) *Tree {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.conf": "Define A b\n# comment\nInclude sub.conf\n<IfDefine A>\n<Location /x>\nHeader set X \"a b\"\n</Location>\n</IfDefine>\n" +
			"<Macro M $x>\nAlias /$x /$x\n</Macro>\nUse M one\nUse M two\n",
		"sub.conf": "Listen 80\n<VirtualHost *>\n<Directory />\nRequire all denied\n</Directory>\n</VirtualHost>\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := ParseFile("main.conf", Options{ServerRoot: dir})
	if err != nil {
		t.Fatal(err)
	}
	tree.Warnings = append(tree.Warnings, Warning{Pos{"f", 3}, "core", "warn", "odd"})
	tree.Unknown = append(tree.Unknown, Load{"odd_module", Pos{"f", 2}})
	tree.Partial = true
	tree.Skipped = append(tree.Skipped, Skipped{"mod_odd.c", Pos{"f", 4}})
	tree.Notes = append(tree.Notes, Note{Pos{"f", 0}, "a part"})
	tree.LoadModules = append(tree.LoadModules, Load{"odd_module", Pos{"f", 2}})
	return tree
}

func TestBinaryTree(t *testing.T) {
	tree := sampleTree(t)
	b, _ := tree.AppendBinary(nil)
	got, err := DecodeTree(b)
	if err != nil {
		t.Fatal(err)
	}
	want := *tree
	want.Nodes = bare(tree.Nodes)
	if len(want.Nodes) < 5 || !reflect.DeepEqual(got, &want) {
		t.Errorf("%+v\nwant\n%+v", got, &want)
	}
	for n := range b {
		if _, err := DecodeTree(b[:n]); err == nil {
			t.Fatalf("cut off after %d of %d bytes: no error", n, len(b))
		}
	}
}

// FuzzDecodeTree: any bytes give a tree or an error, and a tree comes back as it was.
func FuzzDecodeTree(f *testing.F) {
	b, _ := sampleTree(f).AppendBinary(nil)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, err := DecodeTree(b)
		if err != nil {
			return
		}
		b, _ = tree.AppendBinary(nil)
		again, err := DecodeTree(b)
		if err != nil || !reflect.DeepEqual(tree, again) {
			t.Errorf("%+v %+v %v", tree, again, err)
		}
	})
}
