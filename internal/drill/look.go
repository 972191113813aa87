package drill

import (
	"context"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/restore"
	"daybefore/internal/scrub/draft"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/verdict"
)

// Beside looks at what Draft reads, for more than the scrub. Its Filter is as
// draft.Survey's, whose rows it is handed.
type Beside interface {
	// Begin is called once pre-data is restored, before the first row.
	Begin(s *schema.Schema, encoding string)
	Filter(namespace, table string, columns []string) (func(dst, row []byte) ([]byte, error), error)
	// Built is called once all is built that is built without rows.
	Built(ctx context.Context, conn *pgx.Conn, a *archive.Archive) error
}

// Draft reads every row of the newest backup, and drafts the scrub section for
// what looks sensitive and has no rule. The rows are shown to another too, which
// may be nil. They are looked at as they come from the archive: none reaches the
// sandbox, which holds the schema only. The draft is nil where something kept it
// from being made, as the report says.
func Draft(ctx context.Context, req Request, other Beside) (*draft.Draft, *verdict.Report) {
	var section *draft.Draft
	report := perform(ctx, req, func(r *run, ctx context.Context) error {
		return r.look(ctx, func(ctx context.Context, s *restore.Session) error {
			return r.stage(ctx, verdict.StageScrub, func(ctx context.Context) (err error) {
				section, err = r.draft(ctx, s, other)
				return err
			})
		})
	})
	return section, report
}

// Shapes reads every row of the newest backup, and measures what the scrub
// makes of the columns under a rule, without storing any. It is nil where
// something kept it from that, as the report says.
func Shapes(ctx context.Context, req Request) ([]verdict.Shapes, *verdict.Report) {
	var shapes []verdict.Shapes
	report := perform(ctx, req, func(r *run, ctx context.Context) error {
		return r.look(ctx, func(ctx context.Context, s *restore.Session) error {
			plan, err := r.planScrub(ctx, s)
			if err != nil {
				return err
			}
			measure := draft.NewMeasure(plan)
			return r.stage(ctx, verdict.StageScrub, func(ctx context.Context) error {
				if err := s.Look(ctx, measure.Filter, plan.Excluded); err != nil {
					return err
				}
				shapes = measure.Shapes()
				tell := r.tellable()
				for i := range shapes {
					tell(&shapes[i].Table, &shapes[i].Column)
				}
				return nil
			})
		})
	})
	return shapes, report
}

// look fetches the newest backup and restores its schema, for a step of the
// scrub that reads rows and loads none.
func (r *run) look(ctx context.Context, step func(context.Context, *restore.Session) error) error {
	for _, before := range []func(context.Context) error{r.choose, r.fetchAndStart} {
		if err := before(ctx); err != nil {
			return err
		}
	}
	s, err := r.preData(ctx, func(context.Context) error { return nil })
	if s == nil {
		return err
	}
	defer r.keepRestore(s)
	if err != nil {
		return err
	}
	return step(ctx, s)
}

func (r *run) draft(ctx context.Context, s *restore.Session, other Beside) (*draft.Draft, error) {
	conn, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	section, err := r.survey(ctx, s, conn, other)
	if err != nil {
		return nil, err
	}
	// What the leak scan would find in the schema itself no rule can fix.
	if err := s.PostData(ctx); err != nil {
		return nil, err
	}
	found, err := section.Plan.Aftermath(ctx, r.connect, r.jobs(), nil)
	if err != nil {
		return nil, err
	}
	section.AddSchema(found)
	if other != nil {
		err = other.Built(ctx, conn, r.archive)
	}
	return section, err
}

func (r *run) survey(ctx context.Context, s *restore.Session, conn *pgx.Conn, other Beside) (*draft.Draft, error) {
	req, err := r.scrubRequest(ctx, conn)
	if err != nil {
		return nil, err
	}
	survey, err := draft.NewSurvey(ctx, conn, req)
	if err != nil {
		return nil, err
	}
	filter := survey.Filter
	if other != nil {
		other.Begin(req.Schema, req.Encoding)
		filter = showBoth(survey.Filter, other.Filter)
	}
	if err := s.Look(ctx, filter, survey.Excluded); err != nil {
		return nil, err
	}
	return survey.Draft()
}

// showBoth shows rows to two filters that write none.
func showBoth(first, second restore.Filter) restore.Filter {
	return func(namespace, table string, columns []string) (func(dst, row []byte) ([]byte, error), error) {
		one, err := first(namespace, table, columns)
		if err != nil {
			return nil, err
		}
		other, err := second(namespace, table, columns)
		switch {
		case err != nil:
			return nil, err
		case one == nil:
			return other, nil
		case other == nil:
			return one, nil
		}
		return func(dst, row []byte) ([]byte, error) {
			dst, err := one(dst, row)
			if err != nil {
				return dst, err
			}
			return other(dst, row)
		}, nil
	}
}
