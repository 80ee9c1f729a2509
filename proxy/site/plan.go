package site

import (
	"slices"

	"balancerd/proxy/exchange"
)

// Phase is one of the lists of steps that a Plan has: httpd's hooks.
type Phase uint8

// The phases, in the order in which an exchange meets them. Early and Storage are run of the plan of the
// virtual host alone, PreTranslate and Translate of the plan of the host and its matching <Location>s, the
// others of the final plan, whose sections are known once the request is mapped.
const (
	Early        Phase = iota // post_read_request: remoteip, Header/RequestHeader early, server-level SetEnvIf
	PreTranslate              // x.Req.Path is normalised but not yet decoded (mapping=encoded). Stop: it is mapped, the path stays undecoded, and a step of Translate says Stop as well
	Translate                 // ProxyPass, Alias, Redirect: Stop when it is settled (x.Filename set)
	Storage                   // what of x.Filename is on disk (x.FileType, x.PathInfo)
	Parse                     // header_parser: SetEnvIf in sections; not of a lookup for another exchange
	Access                    // Require, Order/Allow/Deny, authentication
	Types                     // type_checker: AddHandler, SetHandler by an expression
	Fixup                     // SetEnv, RequestHeader, Redirect in sections, DirectoryIndex
	Insert                    // insert_filter: the last look before the handler; an exchange.AnswerMade takes its place
	Reply                     // Header: the answer's head is there, not yet sent
	Log                       // log_transaction: the answer was sent; what a step returns counts for nothing
	phases
)

// String is httpd's name of the hook where it has one.
func (p Phase) String() string {
	return [phases]string{"post_read_request", "pre_translate_name", "translate_name", "map_to_storage", "header_parser", "access_checker",
		"type_checker", "fixups", "insert_filter", "reply", "log_transaction"}[p]
}

// Step is one thing that a phase does, with who does it: a module's name as Module has it, and a name
// within the module, which is that of the directive that asks for it where there is one.
type Step struct {
	Module, Name string
	Do           exchange.Step
}

// Handler is a handler with the module that it is of.
type Handler struct {
	Module string
	exchange.Handler
}

// Plan is what happens to the exchanges that one chain of scopes holds for: httpd's merged per-dir
// configuration, compiled. Immutable once built. Steps run in the order of the modules' list.
type Plan struct {
	Local *exchange.Local // set by core's builder

	Anew         bool // an internal redirect under the same sections is asked for access again; else it is let in as the request before it was
	FollowsLinks bool // httpd would follow every symbolic link here without a look at each segment (Options)
	Indexes      bool // httpd would list a directory that has no index document (Options)
	NoLinks      bool // no symbolic link may be followed, whoever owns it (Options)

	Handler exchange.Handler                // the one that takes what no other does; the first that a Builder sets stays
	Named   string                          // SetHandler's word; "" for none
	TypeOf  func(*exchange.Exchange) string // media type that the mapped name stands for, "" for none; nil: nobody knows any

	// Admits refuses x's file, or a folder that it lies in, when only a symbolic link leads there which may not be
	// followed (Options): it logs, and its error is the answer. nil: every link is followed. It looks at the disk.
	Admits func(x *exchange.Exchange, name string) error

	// Reachable reports whether nothing that is in force here forbids what x.Filename leads to on disk: a symbolic
	// link that may not be followed. It looks at the disk.
	Reachable func(*exchange.Exchange) bool

	steps     [phases][]Step
	handlers  []namedHandler
	input     way
	output    way
	observers []func(*exchange.Exchange) exchange.Observer
	module    string          // whose Builder runs
	draft     *contribution   // while it runs: where what it adds goes; nil: into this plan
	parts     []*contribution // what the plan is made of, by Builder
	weight    int             // bytes that are its own, about
}

// namedHandler is a handler with its name: "proxy-server", "server-status", "default-handler".
type namedHandler struct {
	name string
	Handler
}

// MediaType is the type of what the request is mapped to: one that a rule forces upon it, else what its name stands for;
// "" for none.
func (p *Plan) MediaType(x *exchange.Exchange) string {
	if x.Type != "" || p.TypeOf == nil {
		return x.Type
	}
	return p.TypeOf(x)
}

// Handles reports whether SetHandler names a handler.
func (p *Plan) Handles() bool { return p.Named != "" && p.Named != "none" }

// Add puts a step of the module whose Builder runs behind those that the phase has.
func (p *Plan) Add(phase Phase, name string, do exchange.Step) {
	if p.draft != nil {
		p.draft.add(placed{phase, false, Step{p.module, name, do}})
		return
	}
	p.steps[phase] = append(p.steps[phase], Step{p.module, name, do})
}

// AddFirst puts a step in front of those that the phase has so far.
func (p *Plan) AddFirst(phase Phase, name string, do exchange.Step) {
	if p.draft != nil {
		p.draft.add(placed{phase, true, Step{p.module, name, do}})
		return
	}
	p.steps[phase] = slices.Insert(p.steps[phase], 0, Step{p.module, name, do})
}

// Steps are the steps of a phase, in order.
func (p *Plan) Steps(phase Phase) []Step { return p.steps[phase] }

// HandlerFor registers a handler under a name that SetHandler or x.Handler may use.
func (p *Plan) HandlerFor(name string, h exchange.Handler) {
	n := namedHandler{name, Handler{p.module, h}}
	if p.draft != nil {
		p.draft.handlers = append(p.draft.handlers, n)
		return
	}
	p.handlers = append(p.handlers, n)
}

// HandlerNamed is the handler of a name, the last that was registered.
func (p *Plan) HandlerNamed(name string) (h Handler, ok bool) {
	for i := len(p.handlers) - 1; i >= 0; i-- {
		if p.handlers[i].name == name {
			return p.handlers[i].Handler, true
		}
	}
	return Handler{}, false
}

// Observe has f asked, when a request's virtual host is known, who wants to be told of the request; nil is
// nobody. Only the virtual host's own plan counts.
func (p *Plan) Observe(f func(*exchange.Exchange) exchange.Observer) {
	if p.draft != nil {
		own := p.draft.own()
		own.observers = append(own.observers, f)
		return
	}
	p.observers = append(p.observers, f)
}

// BecomesTunnel leaves the exchange what its end needs of its plan, the logs, and nothing of its virtual host.
func (p *Plan) BecomesTunnel(x *exchange.Exchange) {
	bare := p.logOnly()
	for i := range x.State {
		switch x.State[i].(type) {
		case *Host, *node, *Plan:
			x.State[i] = nil
		}
	}
	x.State[exchange.StatePlan] = bare
}

var _ exchange.Tunneler = (*Plan)(nil)

// logOnly is the plan without what it does before the end.
func (p *Plan) logOnly() *Plan {
	bare := &Plan{Local: p.Local}
	bare.steps[Log] = p.steps[Log]
	return bare
}
