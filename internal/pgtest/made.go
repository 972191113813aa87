package pgtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"daybefore/internal/machine"
)

// makeData puts a cluster's data into dir/data, of the account. What initdb
// makes is kept in the user's cache folder, since it is the same for all tests,
// and to unpack it takes a quarter of the time.
func makeData(bin, dir string, account *syscall.Credential) error {
	kept, unlock, err := keptCluster(bin)
	if err != nil {
		return err
	}
	defer unlock()
	if file, err := os.Open(kept); err == nil {
		defer file.Close()
		unlock()
		unpack := asAccount(account, dir, "tar", "-xf", "-", "-C", dir)
		unpack.Stdin = file
		return said(unpack)
	}
	create := asAccount(account, dir, filepath.Join(bin, "initdb"), initdb(filepath.Join(dir, "data"))...)
	if err := said(create); err != nil {
		return err
	}
	fresh := kept + ".new"
	pack := exec.Command("tar", "-cf", fresh, "-C", dir, "data")
	return errors.Join(said(pack), os.Rename(fresh, kept))
}

// keptCluster is the path of what initdb made, or is to make, by these binaries;
// it is locked until the first unlock.
func keptCluster(bin string) (path string, unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", nil, err
	}
	name, err := clusterName(bin)
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(cache, "daybefore-tools", "clusters", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", nil, err
	}
	unlock, err = machine.Lock(path + ".lock")
	return path, unlock, err
}

// clusterName tells clusters of other binaries, or of other arguments, apart.
func clusterName(bin string) (string, error) {
	digest := sha256.New()
	fmt.Fprintln(digest, bin, strings.Join(initdb(""), " "))
	for _, program := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(bin, program))
		if err != nil {
			return "", err
		}
		fmt.Fprintln(digest, program, info.Size(), info.ModTime().UnixNano())
	}
	return hex.EncodeToString(digest.Sum(nil))[:16] + ".tar", nil
}

func asAccount(account *syscall.Credential, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	cmd.Dir = dir
	cmd.Env = environ()
	return cmd
}

// said runs a program, and adds to its error what it wrote.
func said(cmd *exec.Cmd) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, &out)
	}
	return nil
}
