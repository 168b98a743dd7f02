package server_test

import (
	"testing"

	"fleetwarden/test/simcloud/server"
)

func TestServerStarts(t *testing.T) {
	s, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
