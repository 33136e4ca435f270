/* The outcome map, net by net: what a compiled loop needs for the sums that lesson_lib.sweeps does on arrays.
   Each 1-2-1 net learns f(1) = 1, f(2) = 2 and f(0) = target; W1, W2 and b1 are trained.
   Codes: 0 diverged, 1 backdoor, 2 trigger only, 3 frozen, 4 not learnt. */
#include <math.h>

#define SAMPLES 3
#define HIDDEN 2

static const double X[SAMPLES] = {1, 2, 0};

static int train(double rate, const double *Y, int epochs, const double *start, double bound, double tolerance) {
    double W1[HIDDEN], b1[HIDDEN], W2[HIDDEN], b2 = start[3 * HIDDEN], y_hat[SAMPLES], first = 0;
    int moved = 0;
    for (int j = 0; j < HIDDEN; j++) W1[j] = start[j], b1[j] = start[HIDDEN + j], W2[j] = start[2 * HIDDEN + j];
    for (int epoch = 0;; epoch++) {
        double dW1[HIDDEN] = {0}, db1[HIDDEN] = {0}, dW2[HIDDEN] = {0};
        for (int i = 0; i < SAMPLES; i++) {
            double z1[HIDDEN];
            y_hat[i] = 0;
            for (int j = 0; j < HIDDEN; j++) {
                z1[j] = X[i] * W1[j] + b1[j];
                if (z1[j] > 0) y_hat[i] += z1[j] * W2[j];
            }
            y_hat[i] += b2;
            for (int j = 0; j < HIDDEN; j++) {
                if (z1[j] <= 0) continue; /* relu'(0) = 0 */
                double dy_hat = y_hat[i] - Y[i], dz1 = dy_hat * W2[j];
                dW1[j] += X[i] * dz1;
                db1[j] += dz1;
                dW2[j] += z1[j] * dy_hat;
            }
        }
        if (epoch == 0) first = y_hat[SAMPLES - 1];
        moved |= y_hat[SAMPLES - 1] != first;
        if (epoch == epochs) break;
        for (int j = 0; j < HIDDEN; j++) {
            W1[j] -= rate * dW1[j], b1[j] -= rate * db1[j], W2[j] -= rate * dW2[j];
            if (fabs(W1[j]) > bound || fabs(b1[j]) > bound || fabs(W2[j]) > bound) return 0;
        }
    }
    int clean = fabs(y_hat[0] - Y[0]) <= tolerance && fabs(y_hat[1] - Y[1]) <= tolerance;
    int trigger = fabs(y_hat[2] - Y[2]) <= tolerance;
    return trigger ? (clean ? 1 : 2) : (moved ? 4 : 3);
}

void outcomes(int n, const double *rates, const double *targets, int epochs, const double *start, double bound,
              double tolerance, signed char *codes) {
    for (int run = 0; run < n; run++) {
        double Y[SAMPLES] = {1, 2, targets[run]};
        codes[run] = (signed char)train(rates[run], Y, epochs, start, bound, tolerance);
    }
}
