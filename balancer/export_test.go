package balancer

import "math"

// Walking has do run with picks that look at all members, however many there are.
func Walking(do func()) {
	defer func(before int) { many = before }(many)
	many = math.MaxInt
	do()
}
