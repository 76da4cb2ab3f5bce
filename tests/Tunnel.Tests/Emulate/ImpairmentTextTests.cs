using Tunnel.Ctl.Emulate;

namespace Tunnel.Tests.Emulate;

public class ImpairmentTextTests
{
    [Theory]
    [InlineData("20ms", 20_000_000)]
    [InlineData("1.5s", 1_500_000_000)]
    [InlineData("50us", 50_000)]
    [InlineData("7ns", 7)]
    public void Times(string text, long nanoseconds) => Assert.Equal(nanoseconds, ImpairmentText.Time("--delay", text));

    [Theory]
    [InlineData("5%", 0.05)]
    [InlineData("0.25", 0.25)]
    [InlineData("100%", 1)]
    public void Parts(string text, double part) => Assert.Equal(part, ImpairmentText.Part("--loss", text), 12);

    [Theory]
    [InlineData("100mbit", 100_000_000)]
    [InlineData("1.5gbit", 1_500_000_000)]
    [InlineData("9kbit", 9000)]
    public void Rates(string text, long rate) => Assert.Equal(rate, ImpairmentText.Rate("--rate", text));

    [Theory]
    [InlineData("256KiB", 0, 262_144)]
    [InlineData("50ms", 8_000_000, 50_000)]
    public void Queues(string text, long rate, int bytes) => Assert.Equal(bytes, ImpairmentText.Queue("--queue", text, rate));

    [Theory]
    [InlineData("")]
    [InlineData("ms")]
    [InlineData("-5ms")]
    [InlineData("61s")]
    [InlineData("5")]
    [InlineData("NaNms")]
    public void WhatIsNoTimeIsRefused(string text) =>
        Assert.StartsWith($"--delay {text}: ", Assert.Throws<FormatException>(() => ImpairmentText.Time("--delay", text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("101%")]
    [InlineData("-1%")]
    [InlineData("x")]
    [InlineData("NaN")]
    public void WhatIsNoPartIsRefused(string text) => Assert.Throws<FormatException>(() => ImpairmentText.Part("--loss", text));

    [Fact]
    public void AQueueOfTimeNeedsARate() => Assert.Throws<FormatException>(() => ImpairmentText.Queue("--queue", "50ms", 0));
}
