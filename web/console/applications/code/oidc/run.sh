node --env-file=.env app.mjs
# or: flask --app app run --port <<.Port>>
