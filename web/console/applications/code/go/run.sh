set -a; . ./.env; set +a
go run .
