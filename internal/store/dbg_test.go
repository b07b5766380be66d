package store
import ("testing";"fmt";"github.com/blueberry-idp/blueberry/internal/blueberry";"github.com/uptrace/bun";"github.com/uptrace/bun/dialect/sqlitedialect")
func TestDbg(t *testing.T){
 db:=bun.NewDB(nil, sqlitedialect.New())
 for _,q:=range []blueberry.EnvironmentQuery{{},{Owner:"a"},{Phases:[]blueberry.Phase{"x"}},{Search:"s"},{Search:`' OR 1=1 --\`},{Search:"\x00\xff"}}{
 var rows []environmentRow
 sel := filter(db.NewSelect().Model(&rows).Column("id"), q)
 fmt.Println(sel.Where("(?, id) ? (?, ?)", bun.Ident("name"), bun.Safe(">"), "x", "y").OrderExpr("? ?, id ?", bun.Ident("name"), bun.Safe("ASC"), bun.Safe("ASC")).Limit(3).String())
 }
}
