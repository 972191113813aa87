package catalog

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// wantKept wants what came to be compared by a kind; or, of none, to be told as
// other bytes than were stored.
func wantKept(t *testing.T, store Store, kind string) {
	t.Helper()
	got, err := fetch(t, store, "x.dump", FetchOptions{Dir: t.TempDir()})
	if kind == "" {
		wantProblem(t, err, verdict.Error, verdict.CodeFetch, "not those that the store was given")
		return
	}
	if err != nil || got.Kept != kind || got.ChecksumVerified || got.Compared != "" {
		t.Errorf("%+v, %v, want %s", got, err, kind)
	}
}

func withoutSums(r *http.Response) error {
	for key := range r.Header {
		if strings.HasPrefix(key, "X-Amz-Checksum-") {
			r.Header.Del(key)
		}
	}
	return nil
}

// What a bucket keeps of the bytes is compared, by the kind that it was given.
func TestSumsThatS3Keeps(t *testing.T) {
	t.Parallel()
	for algorithm, kind := range map[types.ChecksumAlgorithm]string{
		types.ChecksumAlgorithmCrc32: "CRC-32", types.ChecksumAlgorithmCrc32c: "CRC-32C",
		types.ChecksumAlgorithmCrc64nvme: "CRC-64/NVME", types.ChecksumAlgorithmSha1: "SHA-1",
		types.ChecksumAlgorithmSha256: "SHA-256", "": "MD5",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			server := storetest.S3(t)
			data := []byte(strings.Repeat("20260304", 1000))
			if err := server.PutSummed(t.Context(), "x.dump", data, algorithm); err != nil {
				t.Fatal(err)
			}
			if kind == "MD5" { // an object of before S3 gave each a sum
				server = server.Behind(t, withoutSums)
			}
			store := openServer(t, server, "")
			wantKept(t, store, kind)
			data[1000] ^= 1
			if err := server.Damage("x.dump", data); err != nil {
				t.Fatal(err)
			}
			if kind != "MD5" {
				wantKept(t, store, "")
				return
			}
			got, err := fetch(t, store, "x.dump", FetchOptions{Dir: t.TempDir()})
			if err != nil || got.Kept != "" { // it may be no MD5
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// The sum that Google's list tells is compared.
func TestSumsThatGoogleKeeps(t *testing.T) {
	t.Parallel()
	server := storetest.StartGS(t)
	server.Put(t, "x.dump", []byte("20260304"))
	target, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	damaging := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			if r.Request.FormValue("alt") == "media" {
				storetest.SetBody(r, []byte("20260305"))
			}
			return nil
		}}
	front := httptest.NewServer(damaging)
	t.Cleanup(front.Close)
	for endpoint, kind := range map[string]string{server.Endpoint: "CRC-32C", front.URL: ""} {
		wantKept(t, opened(t, spec.Source{URL: "gs://" + server.Bucket + "/", Endpoint: endpoint, Anonymous: true}), kind)
	}
}

// The sums of "123456789" are those that the CRCs' catalogues have.
func TestKindsThatStoresKeep(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{"CRC-64/NVME": "ae8b14860a799888", "CRC-32C": "e3069283", "CRC-32": "cbf43926"} {
		h := hashOf(kind)
		h.Write([]byte("123456789"))
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}
