package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/blueberry-idp/blueberry/sdk"
)

// A program that acts for itself: an OAuth client with client credentials. One that has an API token sets Token instead of Tokens.
func Example() {
	client := &sdk.Client{
		BaseURL: "https://blueberry.example.com",
		Tokens: &sdk.ClientCredentials{
			BaseURL: "https://blueberry.example.com", ID: "cli_06d5xw7k3c8qf2v9m4n1r0t6ya", Secret: os.Getenv("CLIENT_SECRET"), Scopes: []string{"environments:read"},
		},
	}
	for env, err := range client.AllEnvironments(context.Background(), sdk.EnvironmentFilter{Project: "shop"}) {
		var problem *sdk.Problem
		switch {
		case errors.As(err, &problem):
			log.Fatalf("%s: %s", problem.Code, problem)
		case err != nil:
			log.Fatal(err)
		}
		fmt.Println(env.Name, env.Phase)
	}
}

// A program that a person lets in by a browser, on this machine or another, and that stays logged in.
func ExampleDeviceLogin() {
	ctx := context.Background()
	login := &sdk.DeviceLogin{BaseURL: "https://blueberry.example.com", ID: "cli_06d5xw7k3c8qf2v9m4n1r0t6ya", Scopes: []string{"environments:read", "offline_access"}}
	code, err := login.Start(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Open %s and enter the code %s\n", code.URL, code.UserCode)
	pair, err := login.Wait(ctx, code)
	if err != nil {
		log.Fatal(err)
	}
	save := func(p sdk.TokenPair) error {
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		return os.WriteFile("pair.json", data, 0o600)
	}
	if err := save(pair); err != nil {
		log.Fatal(err)
	}
	client := &sdk.Client{
		BaseURL: login.BaseURL,
		Tokens:  &sdk.RefreshToken{BaseURL: login.BaseURL, ID: login.ID, Pair: pair, Save: save},
	}
	account, err := client.GetAccount(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("logged in as", account.OnBehalfOf)
}
