package balancer

// attachment is something that lives as long as a worker does.
type attachment struct{ key, value any }

// Attached is what Attach stored under key, nil for nothing. It costs no allocation when key is a
// pointer.
func (w *Worker) Attached(key any) any {
	list := w.attached.Load()
	if list == nil {
		return nil
	}
	for i := range *list {
		if (*list)[i].key == key {
			return (*list)[i].value
		}
	}
	return nil
}

// Attach lets value live with the worker under key, over reloads, for example a pool of
// connections. What is there already stays and is returned, so that of two who attach one wins.
func (w *Worker) Attach(key, value any) any {
	for {
		old := w.attached.Load()
		if v := w.Attached(key); v != nil {
			return v
		}
		var list []attachment
		if old != nil {
			list = append(list, *old...)
		}
		list = append(list, attachment{key, value})
		if w.attached.CompareAndSwap(old, &list) {
			return value
		}
	}
}

// Detach takes away what is attached under key and returns it, nil for nothing.
func (w *Worker) Detach(key any) any {
	for {
		old := w.attached.Load()
		v := w.Attached(key)
		if v == nil {
			return nil
		}
		var list []attachment
		for _, a := range *old {
			if a.key != key {
				list = append(list, a)
			}
		}
		if w.attached.CompareAndSwap(old, &list) {
			return v
		}
	}
}

// Attachments is all that is attached, by key, for instance to close it when Commit gave the worker
// up.
func (w *Worker) Attachments() map[any]any {
	m := map[any]any{}
	if list := w.attached.Load(); list != nil {
		for _, a := range *list {
			m[a.key] = a.value
		}
	}
	return m
}
