// Package cache is mod_cache with mod_cache_disk and mod_cache_socache: answers are kept, and given again without asking
// a member. What is kept, and until when, is proxy/cache's matter.
//
//	CacheEnable, CacheDisable                                              settings.go, module.go
//	     |
//	a request --> its providers, its key                                   lookup.go
//	     |
//	     +-- a fresh answer is there: it is given, edited or not           hit.go
//	     |
//	     +-- a stale one: the member is asked whether it still holds       lookup.go
//	     |
//	     +-- nothing: the member is asked
//	              |
//	         its answer passes the filter CACHE_SAVE                       save.go, judge.go
//	              |   304: the kept one holds again                        refresh.go
//	              |   5xx: the kept one, though it is stale
//	              v
//	         its body is recorded on the way                               tee.go
//
//	PUT, POST, DELETE that go well invalidate what is kept                 invalidate.go
//
// Where. With CacheQuickHandler On, the default, a kept answer is looked for before types and fixups, and given as it was
// sent: filters and Header have had their say. httpd looks before access control, too; here what Require and
// authentication refuse stays refused. With Off it is looked for in the handler's place, and the filter CACHE
// names the place in the chain where answers are kept.
//
// Reading order: module.go, settings.go, stores.go, lookup.go, hit.go, save.go, judge.go, refresh.go, tee.go,
// invalidate.go, status.go.
package cache
