// Package slotmem is what httpd's mod_slotmem_shm does for BalancerPersist: it keeps what the manager changed
// in a folder with two journals, over reloads and restarts.
//
//	main process --Folder--> Store --on commit--> balancer/store/file
//	balancer.Farm --Load, Save-----^
//
// Store (store.go) is the farm's store; Module (module.go) tells it where a configuration keeps its records.
package slotmem
