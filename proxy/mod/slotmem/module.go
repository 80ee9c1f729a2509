package slotmem

import (
	"balancerd/apacheconf/directive"
	"balancerd/balancer/store/file"
	"balancerd/proxy/site"
)

// Module tells a store its folder, before mod_proxy plans the balancers. The folder of the first site counts at
// once, since the balancers are planned from its records; that of a reload counts from its commit on.
func Module(s *Store) site.Module {
	return site.Module{Name: "slotmem_shm", Open: func(_ *directive.Config, st *site.Site) (site.Builder, error) {
		if st.Checking || s.next == "" {
			return nil, nil
		}
		folder := file.New(s.next)
		s.folder.CompareAndSwap(nil, folder)
		st.OnCommit(func() { s.folder.Store(folder) })
		return nil, nil
	}}
}
