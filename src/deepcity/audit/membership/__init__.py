"""Membership inference: does a network betray whether it learned from a day, or from a place?"""
