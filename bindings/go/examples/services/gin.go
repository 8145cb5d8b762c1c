package services

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatepost.invalid/gatepost"
)

// admit is Gatepost as a handler of gin.
func admit(engine *gatepost.Engine) gin.HandlerFunc {
	return func(c *gin.Context) {
		r, ok := engine.Admit(c.Writer, c.Request)
		if !ok {
			c.Abort()
			return
		}
		c.Request = r
	}
}

// require is one of Gatepost's guards as a handler of gin.
func require(guard func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		allowed := false
		next := func(http.ResponseWriter, *http.Request) { allowed = true }
		guard(http.HandlerFunc(next)).ServeHTTP(c.Writer, c.Request)
		if !allowed {
			c.Abort()
		}
	}
}

// Gin is the service on gin.
func Gin(engine *gatepost.Engine) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery(), admit(engine))
	router.GET("/health", func(c *gin.Context) { c.JSON(http.StatusOK, "ok") })
	router.GET("/orders/:id", func(c *gin.Context) { c.JSON(http.StatusOK, order(c.Request, c.Param("id"))) })
	router.DELETE("/orders/:id", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	router.GET("/stock", require(gatepost.RequireRole("admin")), gin.WrapF(stock))
	router.GET("/metrics", gin.WrapH(engine.MetricsHandler()))
	return router
}
