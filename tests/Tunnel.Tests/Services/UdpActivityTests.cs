using Tunnel.App.Services;

namespace Tunnel.Tests.Services;

/// <summary>How long a flow of datagrams is kept, by what went through it: "&gt;" is sent, "&lt;" came back, a second apart.</summary>
public class UdpActivityTests
{
    private const int Dns = 53, Ordinary = 5000;

    private static readonly UdpLimits Limits = new();

    [Theory]
    // While an answer is missing, as long as a resolver may take; then hardly at all.
    [InlineData(Dns, ">", 30)]
    [InlineData(Dns, "><", 2)]
    // Two questions from one port, and one asked twice.
    [InlineData(Dns, ">><", 30)]
    [InlineData(Dns, ">><<", 2)]
    [InlineData(Dns, ">><>", 30)]
    [InlineData(Dns, "><><", 2)]
    // Who says more than an exchange takes is in a conversation: QUIC has a well-known port, too.
    [InlineData(Dns, "><><><><><", 120)]
    [InlineData(Dns, ">>>>>", 120)]
    // Anywhere else the RFC's two minutes.
    [InlineData(Ordinary, ">", 120)]
    [InlineData(Ordinary, "><", 120)]
    [InlineData(1023, "><", 2)]
    [InlineData(1024, "><", 120)]
    public void SilenceThatItSurvives(int port, string datagrams, int seconds)
    {
        UdpActivity activity = After(port, datagrams, out long last);
        Assert.Equal(last + 1000 * seconds, activity.EndsAt);
    }

    /// <summary>Each is worth less than the next when there is no room, though all were last heard of at the same time.</summary>
    [Fact]
    public void WhatIsOverGoesBeforeWhatNobodyAnsweredAndThatBeforeTheRest()
    {
        long answered = After(Dns, "><", out _).Worth, unanswered = After(Ordinary, ">>", out _).Worth, conversation = After(Ordinary, "><", out _).Worth;
        Assert.True(answered < unanswered && unanswered < conversation);
    }

    [Fact]
    public void NoSilenceIsLongerThanTheIdleTime()
    {
        var activity = new UdpActivity(new UdpLimits { Idle = TimeSpan.FromSeconds(5) }, Dns, 0);
        activity.CountSent(1000);
        Assert.Equal((6000, 6000), (activity.EndsAt, activity.Worth));
    }

    private static UdpActivity After(int port, string datagrams, out long last)
    {
        var activity = new UdpActivity(Limits, port, 0);
        last = 0;
        foreach (char datagram in datagrams)
        {
            last += 1000;
            if (datagram == '>')
                activity.CountSent(last);
            else
                activity.CountReceived(last);
        }

        return activity;
    }
}
