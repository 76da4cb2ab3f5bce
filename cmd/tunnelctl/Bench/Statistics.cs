namespace Tunnel.Ctl.Bench;

/// <summary>What a few rounds' figures say together.</summary>
internal static class Statistics
{
    /// <summary>Student's t, two-sided 95 %, for 1 to 30 degrees of freedom.</summary>
    private static readonly double[] Quantiles =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];

    /// <summary>Beyond thirty degrees of freedom: of the normal distribution.</summary>
    private const double NormalQuantile = 1.960;

    public static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>
    /// The 95 % confidence interval of the difference of two means (Welch: the variances need not be equal); null with fewer than
    /// two values on either side, because nothing is known about the noise then.
    /// </summary>
    public static (double Low, double High)? DifferenceOfMeans(IReadOnlyList<double> before, IReadOnlyList<double> after)
    {
        if (before.Count < 2 || after.Count < 2)
            return null;
        double a = Variance(before) / before.Count, b = Variance(after) / after.Count;
        double difference = after.Average() - before.Average();
        if (a + b == 0)
            return (difference, difference);
        double freedom = (a + b) * (a + b) / (a * a / (before.Count - 1) + b * b / (after.Count - 1));
        double reach = Quantile(freedom) * Math.Sqrt(a + b);
        return (difference - reach, difference + reach);
    }

    /// <summary>Of a sample.</summary>
    private static double Variance(IReadOnlyList<double> values)
    {
        double mean = values.Average();
        return values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1);
    }

    /// <summary>By the next smaller whole number of degrees: rather too wide than too narrow.</summary>
    private static double Quantile(double freedom)
    {
        int whole = Math.Max(1, (int)freedom);
        return whole <= Quantiles.Length ? Quantiles[whole - 1] : NormalQuantile;
    }
}
