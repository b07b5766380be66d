{{- define "tools.meta" -}}
name: {{ .Release.Name }}-lib
labels: {made: by-{{ .Chart.Name }}}
{{- end -}}
