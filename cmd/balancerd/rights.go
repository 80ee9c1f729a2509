package main

import (
	"os/user"
	"slices"
	"strconv"

	"balancerd/proxy/mod/core"
)

// rights are the two identities of a server that root started with User and Group: requests are
// served as these, but a reload opens logs, keys and ports as root, as httpd's parent process does.
// Lowered, every thread has root only as its saved identity; raised, one thread has it for a while.
type rights struct {
	uid, gid int
	lowered  bool // set before any other goroutine looks
}

// identity are the numbers of User and Group; without Group it is the user's own.
func identity(userName, groupName string) (uid, gid int, groups []int, err error) {
	if uid, err = core.UserID(userName); err != nil {
		return 0, 0, nil, err
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	if groupName != "" {
		if gid, err = core.GroupID(groupName); err != nil {
			return 0, 0, nil, err
		}
	} else if err != nil {
		return 0, 0, nil, err
	} else if gid, err = strconv.Atoi(u.Gid); err != nil {
		return 0, 0, nil, err
	}
	groups = []int{gid}
	if u == nil {
		return uid, gid, groups, nil
	}
	names, err := u.GroupIds()
	if err != nil {
		return uid, gid, groups, nil
	}
	for _, n := range names {
		if id, err := strconv.Atoi(n); err == nil && !slices.Contains(groups, id) {
			groups = append(groups, id)
		}
	}
	return uid, gid, groups, nil
}
