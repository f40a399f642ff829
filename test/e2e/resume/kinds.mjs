// The client libraries, set up as in web/client/README.md. Each returns subscribe(text, variables, next, fail).
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import * as urql6 from "@urql/core";
import { createErrand, resume, socketOptions } from "@errand/client";
import { possibleTypes, resumeLink, typePolicies } from "@errand/client/apollo";
import { resumeExchange } from "@errand/client/urql";
import { createClient } from "graphql-ws";
import * as urql5 from "urql-core-5";
import { pipe, subscribe } from "wonka";

const apollo = (settings) => {
  const socket = createClient(socketOptions(settings));
  const client = new ApolloClient({
    cache: new InMemoryCache({ possibleTypes, typePolicies }),
    link: ApolloLink.split(
      ({ operationType }) => operationType === "subscription",
      ApolloLink.from([resumeLink(), new GraphQLWsLink(socket)]),
      new HttpLink({ uri: settings.url }),
    ),
  });
  return {
    subscribe(text, variables, next, fail) {
      const subscription = client.subscribe({ query: gql(text), variables, fetchPolicy: "no-cache" }).subscribe({
        next: ({ data, error }) => (error ? fail(error) : next(data)),
        error: fail,
      });
      return () => subscription.unsubscribe();
    },
    close: () => void socket.dispose(),
  };
};

const urql = ({ Client, cacheExchange, fetchExchange, subscriptionExchange }) => (settings) => {
  const socket = createClient(socketOptions(settings));
  const client = new Client({
    url: settings.url,
    preferGetMethod: false,
    exchanges: [
      cacheExchange,
      fetchExchange,
      resumeExchange(),
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? "", variables }, sink) }),
        }),
      }),
    ],
  });
  return {
    subscribe: (text, variables, next, fail) =>
      pipe(
        client.subscription(text, variables),
        subscribe(({ data, error }) => (error ? fail(error) : next(data))),
      ).unsubscribe,
    close: () => void socket.dispose(),
  };
};

const graphqlWS = (settings) => {
  const socket = resume(createClient(socketOptions(settings)));
  return {
    subscribe: (query, variables, next, fail) =>
      socket.subscribe({ query, variables }, { next: ({ data }) => next(data), error: fail, complete() {} }),
    close: () => void socket.dispose(),
  };
};

const errand = (settings) => {
  const client = createErrand(settings);
  return {
    subscribe: (text, variables, next, error) => client.subscribe(text, variables, { next, error }),
    close: () => client.dispose(),
    errand: client,
  };
};

export const kinds = {
  "Apollo Client": apollo,
  "urql 6": urql(urql6),
  "urql 5": urql(urql5),
  "graphql-ws": graphqlWS,
  createErrand: errand,
};
