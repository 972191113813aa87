package place

import (
	"context"
	"net/http"
)

// asked is a place behind HTTP, which knows what its answers mean.
type asked interface {
	noAnswer(ctx context.Context, doing string, err error) error
	refusal(doing string, answer *http.Response) error
}

// send sends a request. Its error is plain where another try may help. Beside an
// answer that is no success, which is closed, stands what it means.
func send(client *http.Client, r *http.Request, of asked, doing string) (*http.Response, error) {
	answer, err := client.Do(r)
	if err != nil {
		return nil, of.noAnswer(r.Context(), doing, err)
	}
	if answer.StatusCode/100 == 2 {
		return answer, nil
	}
	defer answer.Body.Close()
	return answer, of.refusal(doing, answer)
}
