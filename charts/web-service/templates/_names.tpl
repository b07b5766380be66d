{{- define "web-service.name" -}}
{{ .Values.blueberry.component }}
{{- end }}

{{- define "web-service.selector" -}}
app.kubernetes.io/name: {{ .Values.blueberry.component }}
app.kubernetes.io/instance: {{ .Values.blueberry.component }}
{{- end }}

{{- define "web-service.env" -}}
{{- range $name, $value := .Values.env }}
{{- if not (kindIs "map" $value) }}
{{ $name | toJson }}: {{ if kindIs "string" $value }}{{ $value | toJson }}{{ else }}{{ $value | toJson | quote }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "web-service.probe" -}}
httpGet:
  path: {{ .health | toJson }}
  port: http
periodSeconds: {{ .probe.periodSeconds }}
failureThreshold: {{ .probe.failureThreshold }}
timeoutSeconds: {{ .probe.timeoutSeconds }}
{{- end }}
