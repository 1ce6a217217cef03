npx next dev --port <<.Port>>
# then open <<.Home>>
