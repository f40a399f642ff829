package tool

// The JSON Schemas of results, as taskView, oneTask, changedTask and manyTasks marshal.
const (
	taskSchema = `{"type":"object","additionalProperties":false,"required":["number","title","completed","priority"],"properties":{
		"number":{"type":"integer","minimum":1},
		"title":{"type":"string"},
		"description":{"type":"string"},
		"completed":{"type":"boolean"},
		"priority":{"type":"string","enum":[` + priorityNames + `]},
		"due_on":{"type":"string","description":"The day it is due, YYYY-MM-DD."},
		"due_at":{"type":"string","description":"The instant it is due, RFC 3339."},
		"labels":{"type":"array","items":{"type":"string"}}}}`
	oneTaskSchema     = `{"type":"object","additionalProperties":false,"required":["task"],"properties":{"task":` + taskSchema + `}}`
	changedTaskSchema = `{"type":"object","additionalProperties":false,"required":["task","changed"],"properties":{"task":` + taskSchema + `,
		"changed":{"type":"boolean","description":"False when there was nothing to do."}}}`
	manyTasksSchema = `{"type":"object","additionalProperties":false,"required":["tasks","total"],"properties":{
		"tasks":{"type":"array","items":` + taskSchema + `},
		"total":{"type":"integer","minimum":0,"description":"How many match in all."}}}`
)
