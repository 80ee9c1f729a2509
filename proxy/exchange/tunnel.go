package exchange

// Tunneler is for what Exchange.State holds: when the exchange becomes a tunnel, which may last for days, it lets
// go of what the exchange's end does not need. Else a tunnel would keep a whole configuration in memory that has
// long been replaced.
type Tunneler interface{ BecomesTunnel(*Exchange) }

// BecomeTunnel tells who keeps something in State that only bytes are passed on from here to the end. The client's
// protocol calls it when the head of the 101 is out.
func (x *Exchange) BecomeTunnel() {
	for i := range x.State {
		if t, ok := x.State[i].(Tunneler); ok {
			t.BecomesTunnel(x)
		}
	}
}
