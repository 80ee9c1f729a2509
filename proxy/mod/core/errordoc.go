package core

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// setErrorDocument decides by the second word what it is: a text when it holds a blank, a local path,
// another site's URL, "default", or a text after all (httpd: core.c set_error_document).
func setErrorDocument(s *directive.Scope, a directive.Args) error {
	code, what := a.Words[0], a.Words[1]
	status, err := strconv.Atoi(code)
	if err != nil || !exchange.Known(status) {
		return errors.New("Unsupported HTTP response code " + code)
	}
	d := exchange.ErrorDocument{Status: status}
	if strings.EqualFold(what, "default") {
		d.Own = true
		dirs.In(s).documents = mergeDocuments(dirs.In(s).documents, []exchange.ErrorDocument{d})
		return nil
	}
	kind := kindOf(what)
	if kind == docURL && status == 401 {
		s.Config.Notice(a.Pos, "core", "AH00113: "+a.Pos.File+":"+strconv.Itoa(a.Pos.Line)+" cannot use a full URL in a 401 ErrorDocument directive --- ignoring!")
		return nil
	}
	e, err := expr.CompileString(what, expr.Options{AccessFile: s.Config.InAccessFile()})
	if err != nil {
		return errors.New("Cannot parse expression in ErrorDocument: " + err.Error())
	}
	value := func(x *exchange.Exchange) string {
		v, err := e.Eval(x)
		if err != nil {
			x.Log("core", exchange.Error, nil, "AH00039: ErrorDocument: "+err.Error())
		}
		return v
	}
	switch kind {
	case docText:
		d.Text = value
	case docPath:
		d.Path = value
	case docURL:
		d.URL = value
	}
	dirs.In(s).documents = mergeDocuments(dirs.In(s).documents, []exchange.ErrorDocument{d})
	return nil
}

type docKind uint8

const (
	docText docKind = iota
	docPath
	docURL
)

func kindOf(what string) docKind {
	switch {
	case strings.ContainsAny(what, " "):
		return docText
	case strings.HasPrefix(what, "/"):
		return docPath
	case exchange.HasScheme(what):
		return docURL
	}
	return docText
}

// mergeDocuments lets the inner ones replace the outer ones of the same status.
func mergeDocuments(outer, inner []exchange.ErrorDocument) []exchange.ErrorDocument {
	if len(inner) == 0 {
		return outer
	}
	var out []exchange.ErrorDocument
	for _, o := range outer {
		if !hasStatus(inner, o.Status) {
			out = append(out, o)
		}
	}
	return append(out, inner...)
}

func hasStatus(list []exchange.ErrorDocument, status int) bool {
	for _, d := range list {
		if d.Status == status {
			return true
		}
	}
	return false
}
