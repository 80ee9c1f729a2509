package process

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/mod/mpm"
)

// credentials are whose a serving process is, for good.
type credentials struct {
	Lower      bool // it becomes the user's; else it stays what it was started as
	UID, GID   int
	Groups     []int
	Background bool // its stderr becomes the error log

	user, group string // as configured
	warning     string // for the log
}

// credentialsOf are those that a configuration asks for. Only root can become another user; without a User
// it stays root, which is warned of.
func credentialsOf(c *configuration) (credentials, error) {
	set := &c.site.Settings
	who := credentials{UID: os.Getuid(), GID: os.Getgid(), user: set.User, group: set.Group}
	switch {
	case os.Geteuid() != 0 || c.broken != nil:
		return who, nil
	case set.User == "":
		who.warning = "AH02155: getpwuid: couldn't determine user name from uid 4294967295, you probably need to modify the User directive"
		return who, nil
	}
	var err error
	who.Lower = true
	who.UID, who.GID, who.Groups, err = Identity(set.User, set.Group)
	return who, err
}

// Identity are the numbers of User and Group; without Group it is the user's own. groups begin with gid.
func Identity(userName, groupName string) (uid, gid int, groups []int, err error) {
	if uid, err = mpm.UserID(userName); err != nil {
		return 0, 0, nil, err
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	if groupName != "" {
		if gid, err = mpm.GroupID(groupName); err != nil {
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

// assume makes all threads of this process the user's: real, effective and saved ids, so that no way leads
// back, and the system drops all capabilities with them (httpd: mod_unixd.c unixd_setup_child).
func (c *credentials) assume() error {
	if !c.Lower {
		return nil
	}
	if err := syscall.Setgroups(c.Groups); err != nil {
		return fmt.Errorf("%s: AH02158: initgroups: unable to set groups for User %d and Group %d", cli.ErrnoOf(err), c.UID, c.GID)
	}
	if err := setAllGIDs(c.GID); err != nil {
		return fmt.Errorf("%s: AH02157: setgid: unable to set group id to Group %d", cli.ErrnoOf(err), c.GID)
	}
	if err := setAllUIDs(c.UID); err != nil {
		return fmt.Errorf("%s: AH02162: setuid: unable to change to uid: %d", cli.ErrnoOf(err), c.UID)
	}
	return nil
}
