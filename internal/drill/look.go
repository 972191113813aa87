package drill

import (
	"context"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/restore"
	"daybefore/internal/scrub/draft"
	"daybefore/internal/verdict"
)

// Draft reads every row of the newest backup, and drafts the scrub section for
// what looks sensitive and has no rule. The rows are looked at as they come
// from the archive: none reaches the sandbox, which holds the schema only. The
// draft is nil where something kept it from being made, as the report says.
func Draft(ctx context.Context, req Request) (*draft.Draft, *verdict.Report) {
	var section *draft.Draft
	report := perform(ctx, req, func(r *run, ctx context.Context) error {
		return r.look(ctx, func(ctx context.Context, s *restore.Session) error {
			return r.stage(ctx, verdict.StageScrub, func(ctx context.Context) (err error) {
				section, err = r.draft(ctx, s)
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

func (r *run) draft(ctx context.Context, s *restore.Session) (*draft.Draft, error) {
	conn, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	section, err := r.survey(ctx, s, conn)
	if err != nil {
		return nil, err
	}
	// What the leak scan would find in the schema itself no rule can fix.
	if err := s.PostData(ctx); err != nil {
		return nil, err
	}
	found, err := section.Plan.Aftermath(ctx, r.connect, r.jobs())
	if err != nil {
		return nil, err
	}
	section.AddSchema(found)
	return section, nil
}

func (r *run) survey(ctx context.Context, s *restore.Session, conn *pgx.Conn) (*draft.Draft, error) {
	req, err := r.scrubRequest(ctx, conn)
	if err != nil {
		return nil, err
	}
	survey, err := draft.NewSurvey(ctx, conn, req)
	if err != nil {
		return nil, err
	}
	if err := s.Look(ctx, survey.Filter, survey.Excluded); err != nil {
		return nil, err
	}
	return survey.Draft()
}
