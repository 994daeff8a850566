# R: nnet from every start in turn (logistic units, its only ones, and a ridge on biases too), and glm.fit, on all cores.
library(nnet)
library(jsonlite)
library(parallel)
shared <- fromJSON(commandArgs(trailingOnly = TRUE)[1], simplifyDataFrame = FALSE)
problem <- function(name) Filter(function(p) p$name == name, shared$problems)[[1]]
say <- function(...) cat(toJSON(list(...), auto_unbox = TRUE, digits = NA, na = "null"), "\n", sep = "")

fit_nnet <- function(p, r) nnet(
  p$x, p$y, size = p$hidden[1], entropy = TRUE, decay = p$ridge * p$N / 2, Wts = p$starts[r, ],
  maxit = p$steps, abstol = 0, reltol = 1e-15, trace = FALSE)$wts
# Where it gives up, the start is handed back, which does not meet the stopping test.
fit_glm <- function(p, r) suppressWarnings(tryCatch(glm.fit(
  cbind(1, p$x), p$y, family = binomial(), start = p$starts[r, ],
  control = glm.control(epsilon = 1e-14, maxit = p$steps))$coefficients, error = function(e) p$starts[r, ]))

measure <- function(name, method, each, fit, least = 3, most = 10, budget = 4) {
  p <- problem(name)
  count <- min(each * shared$threads, nrow(p$starts))
  work <- function() t(simplify2array(mclapply(
    seq_len(count), function(r) unname(fit(p, r)), mc.cores = shared$threads)))
  ends <- work()
  seconds <- c()
  while (length(seconds) < least || (length(seconds) < most && sum(seconds) < budget)) {
    seconds <- c(seconds, system.time(work())[["elapsed"]])
  }
  say(figure = list(what = "study", problem = name, method = method, count = count, seconds = I(seconds), ends = ends))
}

say(peer = "R", versions = list(
  R = paste(R.version$major, R.version$minor, sep = "."), nnet = as.character(packageVersion("nnet"))))
measure("iris2 4-5-1 logistic units", "nnet (BFGS) in a loop", 100, fit_nnet)
measure("iris2 logistic", "glm.fit (IRLS) in a loop", 200, fit_glm)
say(done = TRUE)
