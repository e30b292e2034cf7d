// Command probe is an application with Amalgam8's clients of its registry and of its controller. Its arguments are the address of both and a
// token, which may be empty. It answers each line of stdin, a word and JSON, with one of stdout.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/ioutil"
	"log"
	"os"
	"strings"
	"time"

	"github.com/Sirupsen/logrus"
	controller "github.com/amalgam8/amalgam8/controller/client"
	"github.com/amalgam8/amalgam8/pkg/api"
	registry "github.com/amalgam8/amalgam8/registry/client"
)

func main() {
	logrus.SetOutput(ioutil.Discard)
	url, token := os.Args[1], os.Args[2]
	instances, err := registry.New(registry.Config{URL: url, AuthToken: token})
	if err != nil {
		log.Fatal(err)
	}
	rules, err := controller.NewClient(controller.Config{URL: url, AuthToken: token})
	if err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		word, text, _ := strings.Cut(lines.Text(), " ")
		result, err := answer(instances, rules, word, []byte(text))
		if err != nil {
			result = map[string]string{"error": err.Error()}
		}
		line, _ := json.Marshal(result)
		fmt.Println(string(line))
	}
}

// answer carries out one line:
//
//	register INSTANCE   registers it; the instance as the client has it then
//	renew ID            sends a heartbeat
//	keep INSTANCE       registers it and sends heartbeats from then on, as Amalgam8's sidecar does; registers again when it is unknown
//	deregister ID       takes it away
//	services            the names of all services
//	instances FILTER    the instances that fit
//	create RULES, update RULES, delete FILTER, list FILTER, routes FILTER, actions FILTER
func answer(instances *registry.Client, rules *controller.Client, word string, text []byte) (interface{}, error) {
	var instance api.ServiceInstance
	var id string
	var filter registry.InstanceFilter
	var set api.RulesSet
	var selected api.RuleFilter
	into := map[string]interface{}{
		"register": &instance, "keep": &instance, "renew": &id, "deregister": &id, "instances": &filter,
		"create": &set, "update": &set, "delete": &selected, "list": &selected, "routes": &selected, "actions": &selected,
	}[word]
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			return nil, err
		}
	}
	switch word {
	case "register":
		return instances.Register(&instance)
	case "keep":
		registered, err := instances.Register(&instance)
		if err == nil {
			go keep(instances, *registered)
		}
		return registered, err
	case "renew":
		return "renewed", instances.Renew(id)
	case "deregister":
		return "deregistered", instances.Deregister(id)
	case "services":
		return instances.ListServices()
	case "instances":
		return instances.ListInstancesWithFilter(filter)
	case "create":
		return rules.CreateRules(&set)
	case "update":
		return rules.UpdateRules(&set)
	case "delete":
		return "deleted", rules.DeleteRules(&selected)
	case "list":
		return rules.ListRules(&selected)
	case "routes":
		return rules.ListRoutes(&selected)
	case "actions":
		return rules.ListAction(&selected)
	}
	return nil, fmt.Errorf("unknown: %s", word)
}

func keep(instances *registry.Client, instance api.ServiceInstance) {
	for {
		time.Sleep(time.Duration(instance.TTL) * time.Second / 3)
		err := instances.Renew(instance.ID)
		if known, ok := err.(registry.Error); ok && known.Code == registry.ErrorCodeUnknownInstance {
			if again, err := instances.Register(&instance); err == nil {
				instance = *again
			}
		}
	}
}
