package sandbox

import (
	"context"
	"log/slog"
)

func Sweep(ctx context.Context, log *slog.Logger) (removed []string, err error) { return nil, nil }
