package harness

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"daybefore/internal/drill"
	"daybefore/internal/evidence"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// VerifyOptions say whose evidence is verified, and with which keys.
type VerifyOptions struct {
	Name string // the drill
	Key  string // a file of public keys; empty: that of sign.key_env
}

// Verify tells whether what is kept of a drill's past is what was signed, and
// whether anything is missing in between. It ends with 10 where a link is broken,
// and with 11 where that cannot be known.
func (h *Home) Verify(ctx context.Context, o VerifyOptions) error {
	if o.Name == "" {
		return cannot("verify: -name is required: it verifies what is kept of one drill, or of all databases of one")
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	drills, err := h.loadOf(ctx, "verify", o.Name, spec.Loader{WithoutSecrets: true})
	if err != nil {
		return err
	}
	var broken []string
	for _, f := range drills {
		state, err := h.verifyOne(ctx, f, o.Key)
		switch {
		case errors.Is(context.Cause(ctx), drill.ErrInterrupted):
			return &verdict.Exit{Code: verdict.ExitInterrupted, Reason: "verify: interrupted"}
		case err != nil:
			return cannot("verify: %s: %s", f.Name, advised(err))
		}
		h.Document.Evidence = append(h.Document.Evidence, state)
		if err := h.tellEvidence(state); err != nil {
			return err
		}
		if !state.Intact {
			broken = append(broken, fmt.Sprintf("%s: %s", f.Name, verdict.Count(len(state.Faults), "broken link")))
		}
	}
	if len(broken) > 0 {
		return &verdict.Exit{Code: verdict.ExitFail, Reason: "the evidence is not intact: " + strings.Join(broken, ", ")}
	}
	return nil
}

// verifyOne verifies what is kept of one drill.
func (h *Home) verifyOne(ctx context.Context, f spec.Loaded, keyFile string) (s EvidenceState, err error) {
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return s, errors.New(notLoaded(f))
	}
	keys, err := publicKeys(f.Drill.Sign, keyFile)
	if err != nil {
		return s, err
	}
	rec := h.record(ctx, f.Drill)
	defer rec.close()
	if rec.err != nil {
		return s, rec.err
	}
	kept, err := rec.evidence(ctx)
	if err != nil {
		return s, err
	}
	audit := keys.Verify(f.Name, kept)
	if len(audit.Chains)+len(audit.Faults) == 0 {
		return s, errors.New("no signed report is kept; drill with sign.key_env in the drill file first")
	}
	return EvidenceState{Drill: f.Name, Intact: len(audit.Faults) == 0,
		Chains: append([]evidence.Chain{}, audit.Chains...), Faults: append([]evidence.Fault{}, audit.Faults...)}, nil
}

// publicKeys are those that a file holds or, without one, that of the drill's
// own key.
func publicKeys(s spec.Sign, file string) (evidence.Keys, error) {
	if file == "" {
		if s.Key == nil {
			return nil, fmt.Errorf("no key is here to verify with: give -key=public.pem (openssl pkey -pubout), or set the "+
				"variable of sign.key_env%s", inBrackets(s.KeyEnv))
		}
		return evidence.Keys{ed25519.PrivateKey(s.Key).Public().(ed25519.PublicKey)}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	keys, err := evidence.KeysOf(text)
	if err != nil {
		return nil, fmt.Errorf("-key=%s: %w; give what openssl pkey -pubout writes of an ed25519 key", shown(file), err)
	}
	return keys, nil
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// evidence is what is kept of a drill's runs, in every place.
func (rec *record) evidence(ctx context.Context) ([]evidence.Kept, error) {
	runs := map[string]*evidence.Kept{}
	of := func(c history.Copy) *evidence.Kept {
		k := runs[c.Run]
		if k == nil {
			k = &evidence.Kept{Run: c.Run}
			runs[c.Run] = k
		}
		if c.Err != nil {
			k.Unread = append(k.Unread, c.Err)
		}
		return k
	}
	for c, err := range history.Copies(ctx, rec.dir, rec.store, rec.drill, evidence.File) {
		if err != nil {
			return nil, err
		}
		k := of(c)
		if c.Err == nil {
			k.Envelopes = append(k.Envelopes, c.Bytes)
		}
	}
	for c, err := range history.Copies(ctx, rec.dir, rec.store, rec.drill, history.ReportFile) {
		if err != nil {
			return nil, err
		}
		k := of(c)
		if c.Err == nil {
			k.Reports = append(k.Reports, evidence.ReportOf(c.Bytes))
		}
	}
	var kept []evidence.Kept
	for _, k := range runs {
		kept = append(kept, *k)
	}
	slices.SortFunc(kept, func(a, b evidence.Kept) int { return cmp.Compare(a.Run, b.Run) })
	return kept, nil
}

// tellEvidence prints what verifying came to.
func (h *Home) tellEvidence(s EvidenceState) error {
	said := s.Drill + ": intact\n"
	if !s.Intact {
		said = s.Drill + ": NOT intact\n"
	}
	for _, c := range s.Chains {
		said += fmt.Sprintf("  %s signed on %s, the runs %s to %s", verdict.Count(c.Envelopes, "report"),
			verdict.Printable(c.Machine), verdict.Printable(c.First), verdict.Printable(c.Last))
		if c.Earlier > 0 {
			said += fmt.Sprintf("; %d before them are no longer kept", c.Earlier)
		}
		said += "\n"
	}
	for _, f := range s.Faults {
		said += fmt.Sprintf("  broken at the run %s: %s\n", verdict.Printable(f.Run), f.What)
	}
	_, err := fmt.Fprint(h.Stdout, said)
	return err
}
