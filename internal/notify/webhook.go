package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"daybefore/internal/program"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// said is what a program finds under news, in a report.
type said struct {
	Headline  string         `json:"headline"`
	New       []saidIncident `json:"new"`
	Still     []saidIncident `json:"still"`
	Recovered []saidIncident `json:"recovered"`
}

type saidIncident struct {
	Key      string          `json:"key"`
	Code     verdict.Code    `json:"code"`
	Outcome  verdict.Outcome `json:"outcome,omitempty"`
	Findings []string        `json:"findings,omitempty"`
}

// document is the report as it is kept, with one key more, news, as its first.
func (m message) document() ([]byte, error) {
	news := said{Headline: m.Headline, New: saidOf(m.fresh), Still: saidOf(m.still), Recovered: []saidIncident{}}
	for _, code := range m.over {
		news.Recovered = append(news.Recovered, saidIncident{Key: Key(m.Report.Drill, code), Code: code})
	}
	first, err := verdict.Encode(news, "")
	if err != nil {
		return nil, err
	}
	report, err := json.Marshal(m.Report)
	if err != nil {
		return nil, fmt.Errorf("write the report as JSON: %w", err)
	}
	rest := bytes.TrimPrefix(report, []byte("{"))
	return fmt.Appendf(nil, `{"news":%s,%s`, bytes.TrimSpace(first), rest), nil
}

func saidOf(all []incident) []saidIncident {
	list := []saidIncident{}
	for _, i := range all {
		list = append(list, saidIncident{i.key, i.code, i.outcome, i.lines()})
	}
	return list
}

// webhook sends the report.
func webhook(ctx context.Context, to target, m message) error {
	b, err := m.document()
	if err != nil {
		return err
	}
	_, err = send(ctx, request{url: to.url, body: b})
	return err
}

// byProgram is a channel that a program is.
func byProgram(c spec.Channel, _ bool) (target, error) {
	_, err := exec.LookPath(c.Command[0])
	if err != nil {
		return target{}, &untold{"there is no program " + verdict.Printable(c.Command[0]) + " that can be run",
			"install it, or write its path into the drill file"}
	}
	return target{Channel: c}, nil
}

// mostOutput is how much of a program's output is read; it is thrown away.
const mostOutput = 1 << 20

// command runs a program once: what it did the first time nobody knows.
func command(ctx context.Context, to target, m message) error {
	b, err := m.document()
	if err != nil {
		return err
	}
	var args []string
	for _, arg := range to.Command {
		args = append(args, strings.ReplaceAll(arg, "{drill}", m.Report.Drill))
	}
	_, err = program.Output(ctx, program.Command{Args: args, Env: to.Pass, Stdin: bytes.NewReader(b)}, mostOutput)
	failure, known := errors.AsType[*program.Failure](err)
	switch {
	case err == nil:
		return nil
	case known:
		return &untold{strings.TrimSuffix("it "+failure.What+": "+verdict.Printable(failure.LastWords), ": "),
			"run it by hand, with a report.json on standard input"}
	case errors.Is(err, program.ErrTooMuch):
		return &untold{"it wrote too much", "let it write nothing"}
	}
	return &untold{"it did not read the report, or broke off", "run it by hand, with a report.json on standard input"}
}
