// Command probe is an application with Signadot's SDK. Its environment says whose workload it is and where its route server
// listens, as the SDK reads it. It answers each line of stdin with one of stdout.
package main

import (
	"bufio"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/signadot/routesapi/go-routesapi/watched"
	"github.com/signadot/routesapi/go-routesapi/workload"
)

func main() {
	config, err := workload.EnvConfig()
	if err != nil {
		log.Fatal(err)
	}
	// The SDK's own log would go to stdout.
	config.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	slog.SetDefault(config.Log)
	router, err := workload.NewRouter(config)
	if err != nil {
		log.Fatal(err)
	}
	rules, err := watched.BaselineWatchedFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(answer(router, rules, strings.Fields(lines.Text())))
	}
}

// answer carries out one line:
//
//	target PORT KEY...        where a request with these keys goes; "-" is the baseline
//	until PORT KEY TARGET     waits until it goes there; the time at which it did, in microseconds since 1970
//	sandbox KEY               the sandbox of the key's rule; "-" is none
//	routes KEY SANDBOX        whether the key's rule leads to the sandbox
func answer(router workload.Router, rules watched.BaselineWatched, words []string) string {
	switch words[0] {
	case "target":
		return orNone(router.GetTarget(port(words[1]), words[2:]...))
	case "until":
		for orNone(router.GetTarget(port(words[1]), words[2])) != words[3] {
			time.Sleep(50 * time.Microsecond)
		}
		return strconv.FormatInt(time.Now().UnixMicro(), 10)
	case "sandbox":
		return orNone(rules.Get(words[1]).GetDestinationSandbox().GetName())
	case "routes":
		return strconv.FormatBool(rules.RoutesTo(words[1], words[2]))
	}
	return "unknown: " + words[0]
}

func port(text string) int32 {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		log.Fatal(err)
	}
	return int32(number)
}

func orNone(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
