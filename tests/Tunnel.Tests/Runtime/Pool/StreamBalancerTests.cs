using Tunnel.App.Runtime.Pool;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime.Pool;

/// <summary>Who gets the next stream: shares by weight and cost, priorities, changes at once.</summary>
public class StreamBalancerTests
{
    [Fact]
    public void NobodyIsChosenWhereNobodyIs()
    {
        StreamBalancer<string> balancer = Create();
        Assert.True(balancer.IsEmpty);
        Assert.Null(balancer.Choose());
    }

    [Theory]
    [InlineData(1, 1, 500, 500)]
    [InlineData(3, 1, 750, 250)]
    [InlineData(1, 99, 10, 990)]
    [InlineData(1, 65535, 0, 1000)]
    public void EqualsShareByWeight(double first, double second, int wantFirst, int wantSecond)
    {
        StreamBalancer<string> balancer = Create();
        balancer.Add("a", 0, first, 20);
        balancer.Add("b", 0, second, 20);
        Dictionary<string, int> counts = Take(balancer, 1000);
        // By turns and not by chance: never off by more than one turn.
        Assert.InRange(counts.GetValueOrDefault("a"), wantFirst - 1, wantFirst + 1);
        Assert.InRange(counts.GetValueOrDefault("b"), wantSecond - 1, wantSecond + 1);
    }

    [Fact]
    public void WhatCostsTwiceAsMuchGetsHalfAsMany()
    {
        StreamBalancer<string> balancer = Create();
        balancer.Add("near", 0, 1, 20);
        balancer.Add("far", 0, 1, 40);
        Assert.InRange(Take(balancer, 300)["near"], 199, 201);
    }

    [Fact]
    public void SharesHoldOverAnyStretch()
    {
        StreamBalancer<string> balancer = Create();
        balancer.Add("a", 0, 3, 20);
        balancer.Add("b", 0, 1, 20);
        for (int i = 0; i < 100; i++)
            Assert.InRange(Take(balancer, 8)["a"], 5, 7);
    }

    [Fact]
    public void WhatGetsWorseStepsBackAtOnce()
    {
        StreamBalancer<string> balancer = Create();
        StreamBalancer<string>.Member a = balancer.Add("a", 0, 1, 20);
        balancer.Add("b", 0, 1, 20);
        Take(balancer, 10);
        balancer.Rate(a, 2000);
        Assert.Equal(20, Take(balancer, 20).GetValueOrDefault("b"));
        balancer.Rate(a, 20);
        // It makes up for one turn, and not for all those that it missed.
        Assert.InRange(Take(balancer, 20)["a"], 10, 12);
    }

    [Fact]
    public void WhoeverTakesNoStreamsIsNotChosen()
    {
        StreamBalancer<string> balancer = Create();
        StreamBalancer<string>.Member a = balancer.Add("a", 0, 1, 20);
        StreamBalancer<string>.Member b = balancer.Add("b", 0, 1, double.PositiveInfinity);
        Assert.Equal(10, Take(balancer, 10)["a"]);
        balancer.Rate(a, double.PositiveInfinity);
        Assert.Null(balancer.Choose());
        Assert.False(balancer.IsEmpty);
        balancer.Rate(b, 20);
        Assert.Equal("b", balancer.Choose());
    }

    [Fact]
    public void FullOnesOfABetterPriorityAreNotBypassed()
    {
        StreamBalancer<string> balancer = Create();
        balancer.Add("full", 0, 1, double.PositiveInfinity);
        balancer.Add("standby", 1, 1, 20);
        Assert.Null(balancer.Choose());
    }

    [Fact]
    public void ALowerPriorityComesFirstHoweverDear()
    {
        StreamBalancer<string> balancer = Create();
        balancer.Add("standby", 10, 1000, 20);
        StreamBalancer<string>.Member first = balancer.Add("first", 0, 1, 5000);
        Assert.Equal(10, Take(balancer, 10)["first"]);
        balancer.Remove(first);
        Assert.Equal(10, Take(balancer, 10)["standby"]);
        balancer.Add("back", 0, 1, 20);
        Assert.Equal(10, Take(balancer, 10)["back"]);
    }

    [Fact]
    public void WeightAndPriorityChangeAtOnce()
    {
        StreamBalancer<string> balancer = Create();
        StreamBalancer<string>.Member a = balancer.Add("a", 0, 1, 20);
        StreamBalancer<string>.Member b = balancer.Add("b", 0, 1, 20);
        Take(balancer, 7);
        balancer.Change(a, 0, 9);
        Assert.InRange(Take(balancer, 100)["a"], 89, 92);
        balancer.Change(b, -1, 1);
        Assert.Equal(10, Take(balancer, 10)["b"]);
        balancer.Change(b, 0, 9);
        Assert.InRange(Take(balancer, 100)["a"], 48, 52);
    }

    [Fact]
    public void ANewcomerGetsItsShareAndNoBurst()
    {
        StreamBalancer<string> balancer = Create();
        balancer.Add("a", 0, 1, 20);
        Take(balancer, 1000);
        balancer.Add("b", 0, 1, 20);
        Assert.InRange(Take(balancer, 10)["b"], 4, 6);
    }

    /// <summary>Against a plain search for the first due among all, through additions, removals and changes.</summary>
    [Fact]
    public void TheHeapFindsWhatASearchFinds() => TestSeed.Run(50, seed =>
    {
        var random = new Random((int)seed);
        var balancer = new StreamBalancer<string>(new Random((int)seed));
        var members = new List<StreamBalancer<string>.Member>();
        for (int step = 0; step < 2000; step++)
        {
            switch (random.Next(6))
            {
                case 0 when members.Count < 40:
                    members.Add(balancer.Add($"m{step}", random.Next(3), random.Next(1, 10), random.Next(20, 500)));
                    break;
                case 1 when members.Count != 0:
                    int at = random.Next(members.Count);
                    balancer.Remove(members[at]);
                    members.RemoveAt(at);
                    break;
                case 2 when members.Count != 0:
                    balancer.Rate(members[random.Next(members.Count)], random.Next(8) == 0 ? double.PositiveInfinity : random.Next(20, 500));
                    break;
                case 3 when members.Count != 0:
                    balancer.Change(members[random.Next(members.Count)], random.Next(3), random.Next(1, 10));
                    break;
                default:
                    AssertChoice(balancer, members);
                    break;
            }
        }
    });

    private static void AssertChoice(StreamBalancer<string> balancer, List<StreamBalancer<string>.Member> members)
    {
        StreamBalancer<string>.Member? best = members.OrderBy(m => m.Priority).ThenBy(m => m.Due).FirstOrDefault();
        double due = best?.Due ?? double.PositiveInfinity;
        // Turns may be due at the same time: any of those will do.
        string[] allowed = [.. members.Where(m => m.Priority == best?.Priority && m.Due == due && double.IsFinite(due)).Select(m => m.Item)];
        string? chosen = balancer.Choose();
        if (allowed.Length == 0)
            Assert.Null(chosen);
        else
            Assert.Contains(chosen, allowed);
    }

    private static StreamBalancer<string> Create() => new(new Random(1));

    private static Dictionary<string, int> Take(StreamBalancer<string> balancer, int count) =>
        Enumerable.Range(0, count).Select(_ => balancer.Choose()!).CountBy(name => name).ToDictionary();
}
