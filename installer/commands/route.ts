import { type Register, teach } from "../cli/command.ts";
import { routeExplain } from "./route-explain.ts";

export const route: Register = (program, io) => {
  const group = teach(program, {
    usage: "route",
    summary: "work with routes",
    about: "Commands about single routes and the decisions that they lead to.",
    examples: [
      ["why does this request go where it goes?", 'keyway route explain -f routes.yaml -H "x-routing-key: pr-42" /'],
    ],
  });
  routeExplain(group, io);
};
