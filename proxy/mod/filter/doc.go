// Package filter is what names filters: SetOutputFilter and SetInputFilter of httpd's core, and mod_filter, whose smart
// filters choose among others when the answer is there.
//
//	SetOutputFilter a;b --> Plan.AddOutput                                  set.go
//
//	FilterDeclare F, FilterProvider F name expression                       declare.go
//	AddOutputFilterByType name types = FilterProvider BYTYPE:name + FilterChain
//	FilterChain F --> chain --merged, along the sections--> Plan.UseOutput  chain.go
//
//	an answer:  F looks for the last declared provider whose condition      smart.go
//	            holds, and has its filter (site.OutputNamed) do its work
//
// The filters themselves are other modules'. By extensions they are named in package mime.
//
// Reading order: module.go, set.go, declare.go, protocol.go, chain.go, smart.go.
package filter
