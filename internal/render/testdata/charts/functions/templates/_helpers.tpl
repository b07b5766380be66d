{{/* names */}}
{{- define "functions.fullname" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- define "functions.labels" }}
app: {{ include "functions.fullname" . }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
{{- define "functions.loop" -}}
{{- if gt (int .) 0 -}}{{ . }}{{ include "functions.loop" (sub . 1) }}{{- end -}}
{{- end -}}
{{- define "functions.native" }}native={{ . }}{{ end }}
