using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Tests.Check;

/// <summary>What is wished for is never worse than what is there.</summary>
public class WishTests
{
    [Theory]
    [InlineData("4096", false, "65535")]
    [InlineData("65535", true, "65535")]
    [InlineData("100000", true, "100000")]
    public void AtLeast(string now, bool met, string set) => Expect(Wish.AtLeast(65535), now, met, set);

    /// <summary>Each number by itself: one that is larger already stays.</summary>
    [Theory]
    [InlineData("4096\t131072\t6291456", false, "4096 131072 134217728")]
    [InlineData("8192 87380 6291456", false, "8192 131072 134217728")]
    [InlineData("4096 131072 999999999", true, "4096 131072 999999999")]
    public void EachAtLeast(string now, bool met, string set) => Expect(Wish.AtLeast(4096, 131072, 134217728), now, met, set);

    [Theory]
    [InlineData("60", false, "30")]
    [InlineData("15", true, "15")]
    public void AtMost(string now, bool met, string set) => Expect(Wish.AtMost(30), now, met, set);

    [Theory]
    [InlineData("32768\t60999", false, "1024 65535")]
    [InlineData("500 60999", false, "500 65535")]
    [InlineData("500 65535", true, "500 65535")]
    public void Range(string now, bool met, string set) => Expect(Wish.Range(1024, 65535), now, met, set);

    [Theory]
    [InlineData("cubic", false, "bbr")]
    [InlineData("bbr", true, "bbr")]
    public void OneOf(string now, bool met, string set) => Expect(Wish.OneOf("bbr"), now, met, set);

    [Fact]
    public void AnythingIsNoWish()
    {
        Judgement judged = Wish.Anything.Judge(new Reading("1 2\n", null));
        Assert.True(judged.IsMet);
        Assert.False(judged.Matters);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 2 3 4")]
    [InlineData("one")]
    public void WhatIsNoNumberIsUnknown(string text)
    {
        foreach (Wish wish in new[] { Wish.AtLeast(1), Wish.AtMost(1), Wish.Range(1, 2), Wish.AtLeast(1, 2, 3) })
            Assert.NotNull(wish.Judge(new Reading(text, null)).Problem);
    }

    [Fact]
    public void WhatCannotBeReadIsUnknown()
    {
        foreach (Wish wish in new[] { Wish.AtLeast(1), Wish.AtMost(1), Wish.Range(1, 2), Wish.OneOf("a"), Wish.Anything })
            Assert.Equal("gone", wish.Judge(new Reading(null, "gone")).Problem);
    }

    private static void Expect(Wish wish, string now, bool met, string set)
    {
        Judgement judged = wish.Judge(new Reading(now + "\n", null));
        Assert.Null(judged.Problem);
        Assert.Equal((met, set), (judged.IsMet, judged.Set));
    }
}
