// Sends numbered lines with the library that is inside dockerd. Built by go-client.ts.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	name := flag.String("name", "go", "first word of each line")
	tag := flag.String("tag", "go.client", "tag")
	port := flag.Int("port", 24224, "port on 127.0.0.1")
	socket := flag.String("socket", "", "unix socket instead of the port")
	lines := flag.Int("lines", 1, "lines to send")
	ack := flag.Bool("ack", false, "wait for acks")
	json := flag.Bool("json", false, "send JSON instead of MessagePack")
	subSecond := flag.Bool("sub-second", false, "send EventTime")
	flag.Parse()

	config := fluent.Config{
		FluentHost:         "127.0.0.1",
		FluentPort:         *port,
		RequestAck:         *ack,
		MarshalAsJSON:      *json,
		SubSecondPrecision: *subSecond,
		RetryWait:          100,
		MaxRetryWait:       500,
		MaxRetry:           200,
	}
	if *socket != "" {
		config.FluentNetwork = "unix"
		config.FluentSocketPath = *socket
	}
	logger, err := fluent.New(config)
	exitOn(err)
	for n := 1; n <= *lines; n++ {
		exitOn(logger.Post(*tag, map[string]string{"log": fmt.Sprintf("%s post %d", *name, n)}))
	}
	exitOn(logger.Close())
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
