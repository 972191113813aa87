package catalog

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/moby/sys/mountinfo"

	"daybefore/internal/verdict"
)

// Place is the server's that the bucket is asked of.
func (s *s3Store) Place(ctx context.Context) (Place, error) {
	o := s.client.Options()
	at, err := o.EndpointResolverV2.ResolveEndpoint(ctx, s3.EndpointParameters{
		Bucket: &s.bucketName, Region: &o.Region, Endpoint: o.BaseEndpoint, ForcePathStyle: &o.UsePathStyle,
	})
	if err != nil {
		return Place{}, verdict.Errorf(verdict.CodeSpec, "correct source.endpoint and source.region",
			"find the server of %s: %s", s.url, s.hide(err))
	}
	host := at.URI.Hostname()
	return Place{Hosts: []string{host}, What: "the S3 server " + host}, nil
}

// Place is this machine, or the one that a network file system is mounted from.
func (s *fileStore) Place(ctx context.Context) (Place, error) {
	dir, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return Place{}, s.problem(ctx, err)
	}
	mounts, err := mountinfo.GetMounts(nil)
	if err != nil {
		return Place{}, fmt.Errorf("find the disk that holds %s: %w", s.URL(), err)
	}
	m := mountOf(mounts, dir)
	root := mountOf(mounts, "/")
	if m == nil {
		return Place{What: "an unknown file system"}, nil
	}
	p := placeOf(m)
	if p.Here != "" && root != nil && m.Major == root.Major && m.Minor == root.Minor && m.Source == root.Source {
		p.Here += ", which holds / too"
	}
	return p, nil
}

// mountOf is the file system that holds a path; nil if none is known to. Of
// several at one place the last one hides the others.
func mountOf(mounts []*mountinfo.Info, path string) *mountinfo.Info {
	var found *mountinfo.Info
	for _, m := range mounts {
		at := strings.TrimSuffix(m.Mountpoint, "/")
		if (path == at || strings.HasPrefix(path, at+"/")) &&
			(found == nil || len(m.Mountpoint) >= len(found.Mountpoint)) {
			found = m
		}
	}
	return found
}

// remote are the file systems that hold nothing themselves, by their type or
// what it begins with. Those of FUSE may be anything.
var remote = []string{"nfs", "cifs", "smb", "ceph", "gluster", "lustre", "afs", "beegfs", "davfs", "webdav", "9p",
	"virtiofs", "vboxsf", "vmhgfs", "prl_fs", "fuse.", "macfuse", "osxfuse"}

func placeOf(m *mountinfo.Info) Place {
	p := Place{What: fmt.Sprintf("%s from %s, mounted at %s", m.FSType, m.Source, m.Mountpoint)}
	for _, kind := range remote {
		if m.FSType == "fuse" || strings.HasPrefix(m.FSType, kind) {
			p.Hosts = hostsOf(m.Source)
			return p
		}
	}
	p.Here = fmt.Sprintf("%s (%s)", m.Source, m.FSType)
	return p
}

// hostsOf reads the machines out of what was mounted: host:/dir, //host/share,
// user@host:dir, 10.0.0.1:6789,10.0.0.2:6789:/, https://host/dir. Nil where it
// names none.
func hostsOf(source string) []string {
	if u, err := url.Parse(source); err == nil && u.Scheme != "" && u.Host != "" {
		return []string{u.Hostname()}
	}
	if rest, ok := strings.CutPrefix(source, "//"); ok {
		share, _, _ := strings.Cut(rest, "/")
		return withoutPort(afterAt(share))
	}
	end := strings.LastIndex(source, ":")
	if i := strings.Index(source, ":/"); i >= 0 {
		end = i
	}
	if end < 0 {
		return nil
	}
	var hosts []string
	for _, host := range strings.Split(afterAt(source[:end]), ",") {
		hosts = append(hosts, withoutPort(host)...)
	}
	return hosts
}

func afterAt(s string) string { return s[strings.LastIndex(s, "@")+1:] }

// withoutPort is a host without its port and brackets; nil for none.
func withoutPort(host string) []string {
	if at, err := netip.ParseAddrPort(host); err == nil {
		return []string{at.Addr().String()}
	}
	if _, err := netip.ParseAddr(host); err != nil {
		host = strings.Trim(host, "[]")
		if name, _, isPort := strings.Cut(host, ":"); isPort && strings.Count(host, ":") == 1 {
			host = name
		}
	}
	if host == "" {
		return nil
	}
	return []string{host}
}
