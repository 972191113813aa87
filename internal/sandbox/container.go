package sandbox

import (
	"context"
	"errors"
)

type foundImage struct{}

func findContainer(ctx context.Context, o Options) (any, foundImage, error) {
	return nil, foundImage{}, errors.New("not yet")
}
func startFound(ctx context.Context, o Options, engine any, f foundImage) (Box, error) {
	return nil, nil
}
func startContainer(ctx context.Context, o Options) (Box, error) {
	return nil, errors.New("not yet")
}
