package apacheconf

import "strings"

// Print gives the text of the file that nodes were read from, as it was written: comments, false
// conditions and continuations included, files that it includes not.
func Print(nodes []Node) string {
	var b strings.Builder
	printNodes(&b, nodes)
	return b.String()
}

func printNodes(b *strings.Builder, nodes []Node) {
	for _, n := range nodes {
		switch n := n.(type) {
		case *Comment:
			b.WriteString(n.Raw)
		case *Directive:
			b.WriteString(n.Raw)
		case *Section:
			b.WriteString(n.Raw)
			printNodes(b, n.Children)
			b.WriteString(n.EndRaw)
		case *Group:
			b.WriteString(n.Raw)
			b.WriteString(n.Body)
			if !n.Outside {
				printNodes(b, n.Children)
			}
			b.WriteString(n.EndRaw)
		}
	}
}

// Dump is the tree as the walk will see it, one directive a line, indented: for goldens.
func Dump(nodes []Node) string {
	var b strings.Builder
	dump(&b, nodes, "")
	return b.String()
}

func dump(b *strings.Builder, nodes []Node, indent string) {
	for _, n := range nodes {
		switch n := n.(type) {
		case *Directive:
			b.WriteString(indent + n.Name + " " + n.Args + "\n")
		case *Section:
			b.WriteString(indent + n.Name + " " + n.Args + "\n")
			dump(b, n.Children, indent+"  ")
			b.WriteString(indent + "</" + n.Name[1:] + ">\n")
		case *Group:
			dump(b, n.Children, indent)
		}
	}
}
