flask --app app run --port <<.Port>>
# then open <<.Home>>
