// The Helm chart, made of the same manifests that `keyway server install` applies: values stand where a choice would.

import { toYaml } from "../../installer/cli/output.ts";
import { deployment } from "../../installer/manifests/server/deployment.ts";
import { DOORS } from "../../installer/manifests/server/listeners.ts";
import { disruptionBudget, networkPolicy, service } from "../../installer/manifests/server/network.ts";
import { accessObjects, definitionObjects, overridesObjects } from "../../installer/manifests/server/objects.ts";
import { CHOICE_ANNOTATION, PORT, type ServerChoice } from "../../installer/manifests/server/server.ts";
import { flagOf } from "../../server/settings.ts";
import { VERSION } from "../../shared/package.ts";
import { fileEntries } from "./values.ts";

/** Stand-ins, which occur nowhere else. */
const NAMESPACE = "namespace-of-the-release";
const IMAGE = "image-of-the-values";
const OVERRIDDEN = "namespace-of-the-setting";
const REPLICAS = 4242;

/** The chart's files by their paths in charts/keyway. */
export function chartFiles(): Record<string, string> {
  const choice = {
    namespace: NAMESPACE,
    image: IMAGE,
    replicas: REPLICAS,
    anonymous: ["proxy" as const],
    arguments: [],
  };
  const network = [service(choice), networkPolicy(choice), disruptionBudget(choice)];
  return {
    "Chart.yaml": chart(),
    ...fileEntries(),
    "templates/definitions.yaml": `{{- if .Values.definitions }}\n${documents(definitionObjects()).replaceAll("{{", '{{ "{{" }}')}{{- end }}\n`,
    "templates/access.yaml": inRelease(access(choice)) + overridden(),
    "templates/network.yaml": inRelease([servicePorts, policyPorts].reduce(apply, documents(network))),
    "templates/deployment.yaml": inRelease(
      [replicas, image, anonymous, settings, resources, pullSecret, containerPorts, withoutChoice].reduce(
        apply,
        toYaml(deployment(choice)),
      ),
    ),
  };
}

/** The rights in each namespace that the setting `overrides` names. */
function overridden(): string {
  const rights = inRelease(documents(overridesObjects({ namespace: NAMESPACE }, OVERRIDDEN)))
    .replaceAll("{{ .Release", "{{ $.Release")
    .replaceAll(OVERRIDDEN, "{{ trim $namespace }}");
  return `{{- range $namespace := splitList "," (.Values.settings.overrides | default "") | compact }}\n---\n${rights}{{- end }}\n`;
}

const documents = (objects: object[]) => objects.map((one) => toYaml(one)).join("---\n");

/** The server's rights, and those that some of its settings take. */
function access(choice: ServerChoice): string {
  const usual = accessObjects(choice);
  const all = accessObjects({ ...choice, arguments: [`${flagOf("amalgam8")}=:1`] });
  const isUsual = (text: string) => usual.some((one) => toYaml(one) === text);
  const more = all.map((one) => toYaml(one)).filter((text) => !isUsual(text));
  return `${documents(usual)}{{- if .Values.settings.amalgam8 }}\n---\n${more.join("---\n")}{{- end }}\n`;
}

function chart(): string {
  const about = "Keyway's route server and its controller: previews and routes of a shared cluster as resources.";
  return toYaml({
    apiVersion: "v2",
    name: "keyway",
    description: about,
    type: "application",
    version: VERSION,
    appVersion: VERSION,
  });
}

type Step = (text: string) => string;

const apply = (text: string, step: Step) => step(text);

/** Where the release is, and by whom. */
const inRelease: Step = (text) =>
  text
    .replaceAll(NAMESPACE, "{{ .Release.Namespace }}")
    .replaceAll("app.kubernetes.io/managed-by: keyway", "app.kubernetes.io/managed-by: {{ .Release.Service }}");

const replicas: Step = (text) => text.replace(`replicas: ${REPLICAS}`, "replicas: {{ .Values.replicas }}");
const image: Step = (text) =>
  text.replace(
    `image: ${IMAGE}`,
    'image: {{ required "image: the image that the Dockerfile builds" .Values.image | quote }}',
  );
const withoutChoice: Step = (text) => text.replace(new RegExp(` {2}annotations:\n {4}${CHOICE_ANNOTATION}: .*\n`), "");

const anonymous: Step = (text) =>
  text.replace(
    /^( +)- --anonymous=proxy\n/m,
    '$1{{- with .Values.anonymous }}\n$1- --anonymous={{ join "," . }}\n$1{{- end }}\n',
  );

/** Further settings of the server, as flags. Helm reads a number in a file as a float, and would write a million as 1e+06. */
const settings: Step = (text) =>
  text.replace(
    /^( +)(\{\{- end \}\}\n)( +env:\n)/m,
    '$1$2$1{{- range $setting, $value := .Values.settings }}\n$1- --{{ regexReplaceAll "[A-Z]" $setting "-$0" | lower }}={{ ternary (int64 $value) $value (kindIs "float64" $value) }}\n$1{{- end }}\n$3',
  );

const resources: Step = (text) =>
  text.replace(/^( +)resources:\n(?:\1 +.*\n)+/m, "$1resources:\n$1  {{- toYaml .Values.resources | nindent 12 }}\n");

const pullSecret: Step = (text) =>
  text.replace(
    /^( +)terminationGracePeriodSeconds/m,
    "$1{{- with .Values.imagePullSecret }}\n$1imagePullSecrets:\n$1  - name: {{ . }}\n$1{{- end }}\n$1terminationGracePeriodSeconds",
  );

/** Lines for each listener that the settings ask for; `{{ $name }}` and `{{ $port }}` stand in them. */
function doors(indent: string, lines: string[]): string {
  const names = Object.entries(DOORS).map(([setting, name]) => `"${setting}" "${name}"`);
  return [
    `{{- range $setting, $name := dict ${names.join(" ")} }}`,
    "{{- with index $.Values.settings $setting }}",
    '{{- $port := splitList ":" . | last }}',
    ...lines,
    "{{- end }}",
    "{{- end }}",
  ]
    .map((line) => `${indent}${line}\n`)
    .join("");
}

const containerPorts: Step = (text) =>
  text.replace(
    new RegExp(`^( +)- name: http\n\\1  containerPort: ${PORT}\n`, "m"),
    (ports, indent: string) => ports + doors(indent, ["- name: {{ $name }}", "  containerPort: {{ $port }}"]),
  );

const servicePorts: Step = (text) =>
  text.replace(new RegExp(`^( +)- name: http\n\\1  port: ${PORT}\n(?:\\1  .*\n)+`, "m"), (ports, indent: string) => {
    const appProtocol = '  appProtocol: {{ splitList "-" $name | first }}';
    const lines = [
      "- name: {{ $name }}",
      "  port: {{ $port }}",
      "  targetPort: {{ $name }}",
      "  protocol: TCP",
      appProtocol,
    ];
    return ports + doors(indent, lines);
  });

const policyPorts: Step = (text) =>
  text.replace(
    new RegExp(`^( +)- protocol: TCP\n\\1  port: ${PORT}\n`, "m"),
    (ports, indent: string) => ports + doors(indent, ["- protocol: TCP", "  port: {{ $port }}"]),
  );
