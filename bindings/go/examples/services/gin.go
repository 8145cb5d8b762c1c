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

// Gin is the service on gin.
func Gin(engine *gatepost.Engine) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.Recovery(), admit(engine))
	router.GET("/health", func(c *gin.Context) { c.JSON(http.StatusOK, "ok") })
	router.GET("/orders/:id", func(c *gin.Context) { c.JSON(http.StatusOK, order(c.Request, c.Param("id"))) })
	router.DELETE("/orders/:id", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	router.GET("/metrics", gin.WrapH(engine.MetricsHandler()))
	return router
}
